import { Alert, App, Button, Form, Input, Segmented } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { call, useMe, useSigning } from '../../api/mod.ts';
import { useScheme } from '../../app/theme.tsx';
import { LANGUAGES, type Language, setLanguage } from '../../i18n/mod.ts';
import { Facts, faultText, momentText, Page, Panel } from '../../parts/mod.ts';

/** What is one's own: password, sessions, language, looks. */
export function Account() {
  const { t, i18n } = useTranslation();
  const me = useMe();
  const { choice, choose } = useScheme();
  const { signOut } = useSigning();
  const { modal } = App.useApp();
  const everywhere = () =>
    modal.confirm({
      title: t('session.outEverywhere'),
      content: t('session.outEverywhereHint'),
      okText: t('action.confirm'),
      onOk: () => signOut(true),
    });
  return (
    <Page title={t('nav.account')}>
      <div className="grid2">
        <Panel title={me.name}>
          <Facts
            rows={[
              [t('field.roles'), me.roles.map((role) => t(`role.${role}`)).join(', ')],
              me.department === null ? null : [t('field.department'), me.department],
              me.expiresAt === null ? null : [t('session.title'), t('session.expires', { time: momentText(me.expiresAt) })],
            ]}
          />
          <div className="bar">
            <Button onClick={() => void signOut(false)}>{t('session.out')}</Button>
            <Button danger onClick={() => void everywhere()}>
              {t('session.outEverywhere')}
            </Button>
          </div>
        </Panel>
        <Panel title={t('theme.label')}>
          <div className="bar">
            <Segmented
              aria-label={t('theme.label')}
              value={choice}
              onChange={choose}
              options={(['light', 'dark', 'system'] as const).map((value) => ({ value, label: t(`theme.${value}`) }))}
            />
            <Segmented
              aria-label={t('language.label')}
              value={i18n.language}
              onChange={(language) => void setLanguage(language as Language)}
              options={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
            />
          </div>
        </Panel>
        <Password />
      </div>
    </Page>
  );
}

function Password() {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const [form] = Form.useForm<{ old?: string; password: string }>();
  const [fault, setFault] = useState<string | null>(null);
  const save = async ({ old, password }: { old?: string; password: string }) => {
    try {
      setFault(null);
      await call('/api/v1/session/password', { method: 'PUT', body: { password, ...(old ? { old } : {}) } });
      form.resetFields();
      void message.success(t('session.passwordSaved'));
    } catch (error) {
      setFault(faultText(error));
    }
  };
  return (
    <Panel title={t('session.changePassword')}>
      <Form form={form} layout="vertical" requiredMark={false} onFinish={save}>
        {fault !== null && <Alert type="error" showIcon title={fault} />}
        <Form.Item name="old" label={t('session.oldPassword')} extra={t('session.setPasswordHint')}>
          <Input.Password autoComplete="current-password" maxLength={256} />
        </Form.Item>
        <Form.Item
          name="password"
          label={t('session.newPassword')}
          extra={t('session.passwordHint')}
          rules={[{ required: true, min: 12, message: t('session.passwordHint') }]}
        >
          <Input.Password autoComplete="new-password" maxLength={256} />
        </Form.Item>
        <Button type="primary" htmlType="submit">
          {t('action.save')}
        </Button>
      </Form>
    </Panel>
  );
}
