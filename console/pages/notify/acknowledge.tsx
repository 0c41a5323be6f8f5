import { Alert, Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AlertTopic } from '#grid/api/mod.ts';
import { ApiError, call } from '../../api/mod.ts';

const CODE = /^#code=([A-Za-z0-9_-]{20,64})$/;

/** What the link of a message opens, for whoever has it: the code is used on a click, so that what only fetches addresses acknowledges nothing. */
export function Acknowledge() {
  const { t } = useTranslation();
  const [code] = useState(() => CODE.exec(location.hash)?.[1] ?? null);
  const [done, setDone] = useState<{ topic: AlertTopic; alerts: number } | null>(null);
  const [fault, setFault] = useState<string | null>(code === null ? t('notify.linkFailed') : null);
  const acknowledge = async () => {
    try {
      setDone(await call('/api/v1/notify/acknowledge', { method: 'POST', body: { code } }));
      setFault(null);
      history.replaceState(null, '', location.pathname);
    } catch (error) {
      setFault(error instanceof ApiError && error.status === 404 ? t('notify.linkFailed') : t('state.offline'));
    }
  };
  return (
    <main id="content" className="sign-in">
      <div className="sign-in-box">
        <header>
          <img src="/favicon.svg" alt="" width="44" height="44" />
          <h1>{t('notify.linkTitle')}</h1>
        </header>
        <div className="once">
          {fault !== null && <Alert type="error" showIcon title={fault} />}
          {done !== null && (
            <Alert
              type="success"
              showIcon
              title={t('notify.linkDone', { topic: t(`notify.topic.${done.topic}`), n: done.alerts })}
            />
          )}
          {done === null && code !== null && (
            <>
              <p>{t('notify.linkHint')}</p>
              <Button type="primary" size="large" block autoFocus onClick={() => void acknowledge()}>
                {t('notify.linkSubmit')}
              </Button>
            </>
          )}
        </div>
      </div>
    </main>
  );
}
