import { useQueryClient } from '@tanstack/react-query';
import { Alert, App, Button, Form, Input, Modal, Select, Typography } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Role, UserAnswer } from '#grid/api/mod.ts';
import { call, useMay, useThing } from '../../api/mod.ts';
import { Ago, faultText, Nothing, Page, Panel, Shown } from '../../parts/mod.ts';

/** The six kinds of people, and the roles that each holds. */
const KINDS = {
  viewer: ['viewer'],
  supervision: ['viewer', 'supervision'],
  command: ['viewer', 'command'],
  department: ['viewer', 'department'],
  ops: ['viewer', 'ops'],
  administrator: ['viewer', 'ops', 'administrator'],
} as const satisfies Record<string, readonly Role[]>;
type Kind = keyof typeof KINDS;
/** The one that says most of an account. */
const ORDER: readonly Role[] = ['administrator', 'ops', 'supervision', 'command', 'department', 'supervisor', 'leader', 'viewer'];

/** Who may sign in. For administrators. */
export function Users() {
  const { t } = useTranslation();
  const { administer } = useMay();
  const [adding, setAdding] = useState(false);
  const [link, setLink] = useState<{ name: string; url: string } | null>(null);
  const users = useThing<{ items: UserAnswer[] }>(['users'], administer ? '/api/v1/users' : null);
  const act = useActs(setLink);
  if (!administer)
    return (
      <Page title={t('users.title')}>
        <Nothing text={t('state.forbidden')} />
      </Page>
    );
  return (
    <Page
      title={t('users.title')}
      beside={
        <Button type="primary" onClick={() => setAdding(true)}>
          {t('users.add')}
        </Button>
      }
    >
      <Panel title={t('users.title')} beside={<span className="dim small">{t('users.duties')}</span>}>
        <Shown of={users}>
          {({ items }) =>
            items.length === 0 ? <Nothing text={t('users.empty')} /> : items.map((u) => <User key={u.name} user={u} act={act} />)
          }
        </Shown>
      </Panel>
      {adding && <Add onClose={() => setAdding(false)} onMade={act.link} />}
      {link && (
        <Modal open title={link.name} footer={null} onCancel={() => setLink(null)}>
          <p>{t('users.linkHint')}</p>
          <Typography.Paragraph className="mono" copyable={{ text: link.url }}>
            {link.url}
          </Typography.Paragraph>
        </Modal>
      )}
    </Page>
  );
}

interface Acts {
  link(name: string): Promise<void>;
  change(name: string, body: object): Promise<void>;
  signOut(name: string): Promise<void>;
}

function useActs(onLink: (link: { name: string; url: string }) => void): Acts {
  const client = useQueryClient();
  const { message } = App.useApp();
  const guarded = async (act: () => Promise<void>) => {
    await act().catch((error: unknown) => message.error(faultText(error)));
    await client.invalidateQueries({ queryKey: ['users'] });
  };
  return {
    link: (name) =>
      guarded(async () => {
        const { code } = await call<{ code: string }>(`/api/v1/users/${name}/sign-in-link`, { method: 'POST' });
        onLink({ name, url: `${location.origin}/sign-in#once=${code}` });
      }),
    change: (name, body) => guarded(() => call(`/api/v1/users/${name}`, { method: 'PATCH', body })),
    signOut: (name) => guarded(() => call(`/api/v1/users/${name}/sessions`, { method: 'DELETE' })),
  };
}

function User({ user, act }: { user: UserAnswer; act: Acts }) {
  const { t } = useTranslation();
  const { name, roles, department, disabled } = user;
  const main = ORDER.find((role) => roles.includes(role)) ?? 'viewer';
  return (
    <div className="user">
      <div>
        <b>{name}</b> <span className="tag normal">{t(`role.${main}`)}</span>{' '}
        {department && <span className="tag">{department}</span>}{' '}
        {disabled && <span className="tag bad">✕ {t('users.disabled')}</span>}{' '}
        {!user.hasPassword && <span className="tag">{t('users.noPassword')}</span>}
      </div>
      <span className="dim small">
        {t('users.signedIn')} <Ago at={user.signedInAt} /> · {t('users.sessions', { n: user.sessions })}
      </span>
      <span className="bar">
        <Button size="small" disabled={disabled} onClick={() => void act.link(name)}>
          {t('users.link')}
        </Button>
        <Button size="small" onClick={() => void act.signOut(name)}>
          {t('users.signOut')}
        </Button>
        <Button size="small" disabled={!user.hasPassword} onClick={() => void act.change(name, { forgetPassword: true })}>
          {t('users.reset')}
        </Button>
        <Button size="small" danger={!disabled} onClick={() => void act.change(name, { disabled: !disabled })}>
          {t(disabled ? 'users.enable' : 'users.disable')}
        </Button>
      </span>
    </div>
  );
}

function Add({ onClose, onMade }: { onClose: () => void; onMade: (name: string) => Promise<void> }) {
  const { t } = useTranslation();
  const [fault, setFault] = useState<string | null>(null);
  const [kind, setKind] = useState<Kind>('viewer');
  const add = async ({ name, department }: { name: string; department?: string }) => {
    try {
      const body = { name, roles: KINDS[kind], ...(department ? { department } : {}) };
      await call('/api/v1/users', { method: 'POST', body });
      onClose();
      await onMade(name);
    } catch (error) {
      setFault(faultText(error));
    }
  };
  return (
    <Modal open title={t('users.add')} footer={null} onCancel={onClose}>
      <Form layout="vertical" requiredMark={false} onFinish={add}>
        {fault !== null && <Alert type="error" showIcon title={fault} />}
        <Form.Item
          name="name"
          label={t('users.name')}
          rules={[{ required: true, pattern: /^[A-Za-z0-9_-]{1,64}$/, message: t('users.namePattern') }]}
        >
          <Input maxLength={64} />
        </Form.Item>
        <Form.Item label={t('users.role')} htmlFor="kind">
          <Select
            id="kind"
            value={kind}
            onChange={setKind}
            options={(Object.keys(KINDS) as Kind[]).map((value) => ({ value, label: t(`role.${value}`) }))}
          />
        </Form.Item>
        {kind === 'department' && (
          <Form.Item
            name="department"
            label={t('users.department')}
            rules={[{ required: true, pattern: /^[A-Za-z0-9_-]{1,64}$/, message: t('users.namePattern') }]}
          >
            <Input maxLength={64} />
          </Form.Item>
        )}
        <Button type="primary" htmlType="submit">
          {t('action.save')}
        </Button>
      </Form>
    </Modal>
  );
}
