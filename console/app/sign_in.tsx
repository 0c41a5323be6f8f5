import { Alert, Button, Form, Input, Segmented } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError, useSigning } from '../api/mod.ts';
import { LANGUAGES, type Language, setLanguage } from '../i18n/mod.ts';

const ONCE = /^#once=([A-Za-z0-9_-]{20,100})$/;

/** A one-time code stands in the fragment, which no server and no log sees. It is used on a click, so that a preview does not use it up. */
export function SignIn() {
  const { t, i18n } = useTranslation();
  const [code] = useState(() => ONCE.exec(location.hash)?.[1] ?? null);
  return (
    <main id="content" className="sign-in">
      <div className="sign-in-box">
        <header>
          <img src="/favicon.svg" alt="" width="44" height="44" />
          <div>
            <h1>{t('app.name')}</h1>
            <p>{t('app.tagline')}</p>
          </div>
        </header>
        {code === null ? <ByPassword /> : <ByCode code={code} />}
        <Segmented
          aria-label={t('language.label')}
          options={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
          value={i18n.language}
          onChange={(language) => void setLanguage(language as Language)}
        />
      </div>
    </main>
  );
}

function ByPassword() {
  const { t } = useTranslation();
  const { signIn } = useSigning();
  const { fault, busy, run } = useAttempt('failed');
  return (
    <Form layout="vertical" requiredMark={false} onFinish={({ name, password }) => run(() => signIn(name, password))}>
      {fault !== null && <Alert type="error" showIcon title={fault} />}
      <Form.Item name="name" label={t('session.name')} rules={[{ required: true, message: '' }]}>
        <Input autoFocus autoComplete="username" maxLength={64} size="large" />
      </Form.Item>
      <Form.Item name="password" label={t('session.password')} rules={[{ required: true, message: '' }]}>
        <Input.Password autoComplete="current-password" maxLength={256} size="large" />
      </Form.Item>
      <Button type="primary" htmlType="submit" size="large" block loading={busy}>
        {t('session.submit')}
      </Button>
    </Form>
  );
}

function ByCode({ code }: { code: string }) {
  const { t } = useTranslation();
  const { signInByLink } = useSigning();
  const { fault, busy, run } = useAttempt('linkFailed');
  const go = async () => {
    try {
      await signInByLink(code);
    } finally {
      history.replaceState(null, '', location.pathname);
    }
  };
  return (
    <div className="once">
      <h2>{t('session.once')}</h2>
      <p>{t('session.onceHint')}</p>
      {fault !== null && <Alert type="error" showIcon title={fault} />}
      <Button type="primary" size="large" block autoFocus loading={busy} onClick={() => run(go)}>
        {t('session.onceSubmit')}
      </Button>
    </div>
  );
}

/** One try at a time, and what it came to in words. */
function useAttempt(refused: 'failed' | 'linkFailed') {
  const { t } = useTranslation();
  const [fault, setFault] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const run = async (attempt: () => Promise<void>) => {
    setBusy(true);
    setFault(null);
    try {
      await attempt();
    } catch (error) {
      const status = error instanceof ApiError ? error.status : 0;
      setFault(status === 401 ? t(`session.${refused}`) : status === 429 ? t('session.tooMany') : t('state.offline'));
    } finally {
      setBusy(false);
    }
  };
  return { fault, busy, run };
}
