import { useQueryClient } from '@tanstack/react-query';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ApprovalAnswer } from '#grid/api/mod.ts';
import { call, useMay, useThing } from '../../api/mod.ts';
import { AskReason, momentText, Nothing, Panel, Shown } from '../../parts/mod.ts';
import { useDetects } from './names.ts';

type Change = { of: ApprovalAnswer; to: 'on' | 'off' };

/** Which classes of a model may open cases on this camera, what reviewers found there, and the switch. */
export function Approvals({ camera }: { camera: string }) {
  const { t } = useTranslation();
  const { approve } = useMay();
  const detects = useDetects();
  const [asked, ask] = useState<Change | null>(null);
  const approvals = useThing<{ items: ApprovalAnswer[] }>(['approvals', camera], `/api/v1/cameras/${camera}/approvals`);
  return (
    <Panel title={t('approvals.title')}>
      <p className="dim small">{t('approvals.hint')}</p>
      <Shown of={approvals} rows={3}>
        {({ items }) =>
          items.length === 0 ? (
            <Nothing text={t('approvals.none')} />
          ) : (
            <ul className="lines">
              {items.map((one) => (
                <li key={`${one.model} ${one.detects}`}>
                  <b>{detects(one.detects)}</b>
                  <span className="mono dim">{one.model}</span>
                  <span>
                    {t('approvals.judged', { n: one.judged })}
                    {one.precision !== null && ` · ${Math.round(one.precision * 100)} %`}
                  </span>
                  {one.approved === null ? (
                    <span className="tag low">○ {t(one.earned ? 'approvals.earned' : 'approvals.notEarned')}</span>
                  ) : (
                    <span className="tag good" title={`${one.approved.by} ${momentText(Date.parse(one.approved.at))}`}>
                      ✓ {t('approvals.on', { name: one.approved.by })}
                    </span>
                  )}
                  {approve && (one.approved !== null || one.earned) && (
                    <Button size="small" onClick={() => ask({ of: one, to: one.approved === null ? 'on' : 'off' })}>
                      {t(one.approved === null ? 'approvals.switchOn' : 'approvals.withdraw')}
                    </Button>
                  )}
                </li>
              ))}
            </ul>
          )
        }
      </Shown>
      {asked && <Ask camera={camera} change={asked} onClose={() => ask(null)} />}
    </Panel>
  );
}

function Ask({ camera, change: { of, to }, onClose }: { camera: string; change: Change; onClose: () => void }) {
  const { t } = useTranslation();
  const detects = useDetects();
  const client = useQueryClient();
  const action = t(to === 'on' ? 'approvals.switchOn' : 'approvals.withdraw');
  const change = async (reason: string) => {
    const path = `/api/v1/cameras/${camera}/approvals${to === 'on' ? '' : '/withdraw'}`;
    try {
      await call(path, { method: 'POST', body: { model: of.model, detects: of.detects, reason } });
    } finally {
      void client.invalidateQueries({ queryKey: ['approvals'] });
      void client.invalidateQueries({ queryKey: ['desired'] });
    }
  };
  return (
    <AskReason
      title={`${action}: ${detects(of.detects)}`}
      hint={t(to === 'on' ? 'approvals.onMeans' : 'approvals.offMeans')}
      action={action}
      onAct={change}
      onClose={onClose}
    />
  );
}
