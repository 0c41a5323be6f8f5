import { useQueryClient } from '@tanstack/react-query';
import { App, Button, Form, Input, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { UpkeepCaseAnswer } from '#grid/api/mod.ts';
import { call, useMay, useMe, usePages } from '../../api/mod.ts';
import { Ago, faultText, Lines, Panel, SelectFilter, useFilter } from '../../parts/mod.ts';
import { CaseThings } from './case_things.tsx';
import { SubjectLink } from './subject_link.tsx';

/** A case opens and closes without a change of health of its own. */
const RENEW_MS = 5_000;
const SIGNS = { open: '◆', assigned: '▲', fixed: '✓' } as const;
const STATES = ['open', 'assigned', 'fixed'] as const;
const CAUSES = ['edge-silent', 'camera-fault', 'device-fault'] as const;
/** Faults of devices, apart from the city's cases. What is looked for stands in the URL. */
export function UpkeepCases() {
  const { t } = useTranslation();
  const { ops } = useMay();
  const [state] = useFilter('case');
  const [cause] = useFilter('cause');
  const [edge] = useFilter('edge');
  const [opened, open] = useFilter('one');
  const act = useActs();
  const pages = usePages<UpkeepCaseAnswer>('upkeep', '/api/v1/upkeep/cases', { state, cause, edge }, true, RENEW_MS);
  const unseen = pages.items.filter((c) => c.state !== 'fixed' && c.acknowledgedBy === null);
  return (
    <Panel
      title={t('upkeep.cases')}
      beside={
        <span className="page-beside">
          <SelectFilter
            name="case"
            label={t('filter.state')}
            options={STATES.map((value) => ({ value, label: t(`upkeep.state.${value}`) }))}
          />
          <SelectFilter
            name="cause"
            label={t('filter.cause')}
            options={CAUSES.map((value) => ({ value, label: t(`upkeep.cause.${value}`) }))}
          />
          {ops && unseen.length > 0 && (
            <Button onClick={() => void act('acknowledge', { ids: unseen.map((c) => c.id) })}>
              {t('upkeep.acknowledge')} ({unseen.length})
            </Button>
          )}
        </span>
      }
    >
      <Lines pages={pages} empty={t('upkeep.noCases')}>
        {(c) => <Case key={c.id} of={c} act={act} onOpen={() => open(c.id)} />}
      </Lines>
      <CaseThings id={opened ?? null} onClose={() => open(undefined)} />
    </Panel>
  );
}

type Act = (path: string, body: object) => Promise<void>;

function useActs(): Act {
  const { message } = App.useApp();
  const client = useQueryClient();
  return async (path, body) => {
    await call(`/api/v1/upkeep/cases/${path}`, { method: 'POST', body }).catch((error: unknown) =>
      message.error(faultText(error)),
    );
    await client.invalidateQueries({ queryKey: ['upkeep'] });
  };
}

function Case({ of: c, act, onOpen }: { of: UpkeepCaseAnswer; act: Act; onOpen: () => void }) {
  const { t } = useTranslation();
  const { ops } = useMay();
  const { name } = useMe();
  const [asking, setAsking] = useState<'assign' | 'fix' | null>(null);
  const { id, cause, subject, state, members, sick, acknowledgedBy, assignedTo, fixedBy, note, openedAt } = c;
  const finish = async ({ text }: { text: string }) => {
    if (asking === 'assign') await act(`${id}/assign`, { to: text.trim() });
    else await act(`${id}/fix`, { note: text.trim() });
    setAsking(null);
  };
  return (
    <li className="upkeep-case">
      <span className={state === 'open' ? 'tag bad' : 'tag'}>
        {SIGNS[state]} {t(`upkeep.state.${state}`)}
      </span>
      <button type="button" className="plain-button" aria-haspopup="dialog" onClick={onOpen}>
        {t(`upkeep.cause.${cause}`)}
      </button>
      <SubjectLink subject={subject} />
      {members > 1 && <span className="tag">{t('upkeep.sick', { sick, members })}</span>}
      {assignedTo !== null && <span className="dim">{t('upkeep.assignedTo', { name: assignedTo })}</span>}
      {acknowledgedBy !== null && assignedTo === null && (
        <span className="dim">{t('upkeep.acknowledgedBy', { name: acknowledgedBy })}</span>
      )}
      {fixedBy !== null && (
        <span className="dim">{note === null ? t('upkeep.fixedBySelf') : t('upkeep.fixedBy', { name: fixedBy, note })}</span>
      )}
      {ops && state !== 'fixed' && (
        <>
          <Button size="small" onClick={() => setAsking('assign')}>
            {t('upkeep.assign')}
          </Button>
          <Button size="small" onClick={() => setAsking('fix')}>
            {t('upkeep.fix')}
          </Button>
        </>
      )}
      <Ago at={openedAt} />
      {asking !== null && (
        <Modal open title={t(`upkeep.${asking}`)} footer={null} onCancel={() => setAsking(null)}>
          <Form
            name="upkeep"
            layout="vertical"
            requiredMark={false}
            initialValues={asking === 'assign' ? { text: name } : {}}
            onFinish={finish}
          >
            <Form.Item
              name="text"
              label={t(asking === 'assign' ? 'upkeep.assignTo' : 'upkeep.fixNote')}
              rules={[{ required: true, whitespace: true, message: t('input.required') }]}
            >
              <Input maxLength={asking === 'assign' ? 64 : 500} />
            </Form.Item>
            <Button type="primary" htmlType="submit">
              {t('action.confirm')}
            </Button>
          </Form>
        </Modal>
      )}
    </li>
  );
}
