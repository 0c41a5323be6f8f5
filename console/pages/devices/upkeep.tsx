import { useQueryClient } from '@tanstack/react-query';
import { App, Button, Form, Input } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { GroupAnswer, MaintenanceAnswer, ScoreAnswer } from '#grid/api/mod.ts';
import { call, useMay, usePages, useThing } from '../../api/mod.ts';
import { BeginMaintenance, faultText, Lines, Moment, Panel, ScrollX, Shown, useMaintenance } from '../../parts/mod.ts';
import { SubjectLink } from './subject_link.tsx';
import { UpkeepCases } from './upkeep_cases.tsx';

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

/** What is worked on now, and what will be. */
function Windows() {
  const { t } = useTranslation();
  const pages = usePages<MaintenanceAnswer>('upkeep', '/api/v1/upkeep/maintenance', { open: true }, true, RENEW_MS);
  return (
    <Panel title={t('upkeep.windows')}>
      <Lines pages={pages} empty={t('upkeep.noWindows')}>
        {(w) => <Window key={w.id} of={w} />}
      </Lines>
    </Panel>
  );
}

function Window({ of: { id, subject, active, from, to, by, reason } }: { of: MaintenanceAnswer }) {
  const { t } = useTranslation();
  const { ops } = useMay();
  const { end } = useMaintenance();
  return (
    <li className="maintenance-window">
      <span className={active ? 'tag maintenance' : 'tag'}>
        <i aria-hidden="true">{active ? '⚒' : '◷'}</i> {t(active ? 'upkeep.active' : 'upkeep.isPlanned')}
      </span>
      <SubjectLink subject={subject} />
      <span className="dim">{t('upkeep.by', { name: by, reason })}</span>
      {ops && (
        <Button size="small" onClick={() => void end({ windows: [id] })}>
          {t(active ? 'upkeep.end' : 'upkeep.cancel')}
        </Button>
      )}
      <span className="dim small">
        {!active && (
          <>
            <Moment at={from} /> –{' '}
          </>
        )}
        <Moment at={to} />
      </span>
    </li>
  );
}

function Groups() {
  const { t } = useTranslation();
  const { ops } = useMay();
  const { message } = App.useApp();
  const client = useQueryClient();
  const [form] = Form.useForm<{ id: string; name: string }>();
  const [beginning, begin] = useState<string | null>(null);
  const groups = useThing<{ items: GroupAnswer[] }>(['upkeep', 'groups'], '/api/v1/upkeep/groups');
  const act = async (work: Promise<unknown>) => {
    await work.catch((error: unknown) => message.error(faultText(error)));
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
                {ops && (
                  <Button size="small" onClick={() => begin(g.id)}>
                    {t('upkeep.begin')}
                  </Button>
                )}
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
      {beginning !== null && <BeginMaintenance subjects={[{ of: 'group', id: beginning }]} onClose={() => begin(null)} />}
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
