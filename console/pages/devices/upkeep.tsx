import { useQueryClient } from '@tanstack/react-query';
import { App, Button, Form, Input } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { GroupAnswer, MaintenanceAnswer, Page as PageOf, ScoreAnswer } from '#grid/api/mod.ts';
import { call, useMay, useThing } from '../../api/mod.ts';
import { Moment, Nothing, Panel, ScrollX, Shown, useMaintenance } from '../../parts/mod.ts';
import { SubjectLink, UpkeepCases } from './upkeep_cases.tsx';

const RENEW_MS = 5_000;

/** What is broken and in whose hands, what is worked on, which groups there are, how well it all is. */
export function Upkeep() {
  return (
    <div className="stack scrolled">
      <UpkeepCases />
      <div className="grid2">
        <Windows />
        <Groups />
      </div>
      <Scores />
    </div>
  );
}

function Windows() {
  const { t } = useTranslation();
  const { ops } = useMay();
  const { end } = useMaintenance();
  const windows = useThing<PageOf<MaintenanceAnswer>>(['upkeep', 'windows'], '/api/v1/upkeep/maintenance?active=true', RENEW_MS);
  return (
    <Panel title={t('upkeep.windows')}>
      <Shown of={windows} rows={2}>
        {({ items }) =>
          items.length === 0 ? (
            <Nothing text={t('upkeep.noWindows')} />
          ) : (
            <ul className="lines">
              {items.map((w) => (
                <li key={w.id}>
                  <SubjectLink subject={w.subject} />
                  <span className="dim">{t('upkeep.by', { name: w.by, reason: w.reason })}</span>
                  {ops && (
                    <Button size="small" onClick={() => void end([w.subject])}>
                      {t('upkeep.end')}
                    </Button>
                  )}
                  <Moment at={w.to} />
                </li>
              ))}
            </ul>
          )
        }
      </Shown>
    </Panel>
  );
}

function Groups() {
  const { t } = useTranslation();
  const { ops } = useMay();
  const { message } = App.useApp();
  const client = useQueryClient();
  const [form] = Form.useForm<{ id: string; name: string }>();
  const groups = useThing<{ items: GroupAnswer[] }>(['upkeep', 'groups'], '/api/v1/upkeep/groups');
  const act = async (work: Promise<unknown>) => {
    await work.catch((error: Error) => message.error(error.message));
    await client.invalidateQueries({ queryKey: ['upkeep'] });
  };
  const add = async ({ id, name }: { id: string; name: string }) => {
    await act(call(`/api/v1/upkeep/groups/${id}`, { method: 'PUT', body: { name } }));
    form.resetFields();
  };
  return (
    <Panel title={t('upkeep.groups')}>
      <Shown of={groups} rows={2}>
        {({ items }) => (
          <ul className="lines">
            {items.map((g) => (
              <li key={g.id}>
                <Link to={`/devices?group=${g.id}`}>{g.name}</Link>
                <span className="tag">{t(`upkeep.kind.${g.kind}`)}</span>
                <span className="dim">{t('upkeep.groupMembers', { n: g.members })}</span>
                {ops && g.kind === 'free' && (
                  <Button
                    size="small"
                    danger
                    onClick={() => void act(call(`/api/v1/upkeep/groups/${g.id}`, { method: 'DELETE' }))}
                  >
                    {t('upkeep.remove')}
                  </Button>
                )}
              </li>
            ))}
          </ul>
        )}
      </Shown>
      {ops && (
        <Form name="group" form={form} layout="inline" className="bar" requiredMark={false} onFinish={add}>
          <Form.Item name="id" rules={[{ required: true, pattern: /^[A-Za-z0-9_-]{1,64}$/, message: t('users.namePattern') }]}>
            <Input aria-label={t('upkeep.groupId')} placeholder={t('upkeep.groupId')} maxLength={64} />
          </Form.Item>
          <Form.Item name="name" rules={[{ required: true, message: t('input.required') }]}>
            <Input aria-label={t('upkeep.groupName')} placeholder={t('upkeep.groupName')} maxLength={64} />
          </Form.Item>
          <Button htmlType="submit">{t('upkeep.newGroup')}</Button>
        </Form>
      )}
    </Panel>
  );
}

function Scores() {
  const { t } = useTranslation();
  const scores = useThing<{ items: ScoreAnswer[] }>(['upkeep', 'scores'], '/api/v1/upkeep/scores', RENEW_MS);
  const percent = (value: number | null) => (value === null ? '–' : `${Math.round(value * 100)} %`);
  return (
    <Panel title={t('upkeep.scores')} beside={<span className="dim small">{t('upkeep.scoreHint')}</span>}>
      <Shown of={scores} rows={3}>
        {({ items }) => (
          <ScrollX label={t('upkeep.scores')}>
            <table className="plain">
              <thead>
                <tr>
                  <th>{t('field.id')}</th>
                  <th className="number">{t('upkeep.score')}</th>
                  {(items[0]?.parts ?? []).map((p) => (
                    <th key={p.name} className="number">
                      {t(`upkeep.part.${p.name}`)} · {p.weight}
                    </th>
                  ))}
                  <th />
                </tr>
              </thead>
              <tbody>
                {items.map((s) => (
                  <tr key={`${s.of} ${s.id}`}>
                    <th scope="row">
                      {s.of === 'edge' ? <Link to={`/devices/edge/${s.id}`}>{s.id}</Link> : s.id}{' '}
                      <span className="tag">{t(`upkeep.scoreOf.${s.of}`)}</span>
                    </th>
                    <td className="number score">{s.score ?? '–'}</td>
                    {s.parts.map((p) => (
                      <td key={p.name} className="number">
                        {percent(p.value)}
                      </td>
                    ))}
                    <td className="dim small">{t('upkeep.counted', { n: s.things, m: s.maintenance })}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </ScrollX>
        )}
      </Shown>
    </Panel>
  );
}
