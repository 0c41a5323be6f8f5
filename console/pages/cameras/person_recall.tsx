import { useQueryClient } from '@tanstack/react-query';
import { Button, Form, InputNumber } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { DesiredAnswer, DesiredCameraAnswer } from '#grid/api/mod.ts';
import { call, useMay, useThing } from '../../api/mod.ts';
import { AskReason } from '../../parts/mod.ts';

/** What counts at least. */
const RECALL_PERCENT_MIN = 95;
const PEOPLE_MIN = 100;

/** Whether somebody vouches that the model in use finds the people of this camera, so that its pictures show the street; and the switch. */
export function PersonRecall({ desired: { camera, edge, personRecall } }: { desired: DesiredCameraAnswer }) {
  const { t } = useTranslation();
  const { approve } = useMay();
  const [asking, ask] = useState(false);
  const { data } = useThing<DesiredAnswer>(['desired', edge], `/api/v1/edges/${edge}/desired`);
  const inUse = data?.model?.sha256 || null;
  const counts = personRecall !== null && personRecall.sha256 === inUse;
  return (
    <>
      <span className={counts ? 'tag good' : 'tag low'}>
        {t(counts ? 'recall.on' : personRecall === null ? 'recall.off' : 'recall.other')}
      </span>{' '}
      {personRecall !== null &&
        t('recall.by', {
          percent: Math.round(personRecall.recall * 100),
          n: personRecall.people,
          name: personRecall.by,
          at: personRecall.at,
        })}{' '}
      {approve && (counts || inUse !== null) && (
        <Button size="small" onClick={() => ask(true)}>
          {t(counts ? 'recall.withdraw' : 'recall.attest')}
        </Button>
      )}
      {asking && <Ask camera={camera} sha256={counts ? null : inUse} onClose={() => ask(false)} />}
    </>
  );
}

/** `sha256` of the model that is vouched for; null: it is taken back. */
function Ask({ camera, sha256, onClose }: { camera: string; sha256: string | null; onClose: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const path = `/api/v1/cameras/${camera}/person-recall`;
  const change = async (reason: string, { percent, people }: { percent?: number; people?: number }) => {
    try {
      if (sha256 === null) await call(`${path}/withdraw`, { method: 'POST', body: { reason } });
      else await call(path, { method: 'PUT', body: { sha256, recall: (percent ?? 0) / 100, people, reason } });
    } finally {
      void client.invalidateQueries({ queryKey: ['desired'] });
    }
  };
  const action = t(sha256 === null ? 'recall.withdraw' : 'recall.attest');
  const needed = [{ required: true, message: t('input.required') }];
  return (
    <AskReason
      title={`${action}: ${camera}`}
      hint={t(sha256 === null ? 'recall.offMeans' : 'recall.onMeans')}
      action={action}
      onAct={change}
      onClose={onClose}
    >
      {sha256 !== null && (
        <div className="bar">
          <Form.Item name="percent" label={t('recall.percent')} rules={needed}>
            <InputNumber min={RECALL_PERCENT_MIN} max={100} />
          </Form.Item>
          <Form.Item name="people" label={t('recall.people')} rules={needed}>
            <InputNumber min={PEOPLE_MIN} precision={0} />
          </Form.Item>
        </div>
      )}
    </AskReason>
  );
}
