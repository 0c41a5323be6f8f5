import { useQueryClient } from '@tanstack/react-query';
import { Alert, Button, Form, Input, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ApprovalAnswer } from '#grid/api/mod.ts';
import { call, useMay, useThing } from '../../api/mod.ts';
import { momentText, Nothing, Panel, Shown } from '../../parts/mod.ts';
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
  const [fault, setFault] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async ({ reason }: { reason: string }) => {
    setBusy(true);
    setFault(null);
    try {
      const path = `/api/v1/cameras/${camera}/approvals${to === 'on' ? '' : '/withdraw'}`;
      await call(path, { method: 'POST', body: { model: of.model, detects: of.detects, reason } });
      onClose();
    } catch (error) {
      setFault((error as Error).message);
      setBusy(false);
    }
    void client.invalidateQueries({ queryKey: ['approvals'] });
    void client.invalidateQueries({ queryKey: ['desired'] });
  };
  return (
    <Modal
      open
      title={`${t(to === 'on' ? 'approvals.switchOn' : 'approvals.withdraw')}: ${detects(of.detects)}`}
      footer={null}
      onCancel={onClose}
    >
      <Form layout="vertical" requiredMark={false} onFinish={submit}>
        {fault !== null && <Alert type="error" showIcon title={fault} />}
        <p>{t(to === 'on' ? 'approvals.onMeans' : 'approvals.offMeans')}</p>
        <Form.Item
          name="reason"
          label={t('desired.reason')}
          rules={[{ required: true, whitespace: true, message: t('input.required') }]}
        >
          <Input.TextArea autoFocus maxLength={500} autoSize={{ minRows: 2, maxRows: 6 }} />
        </Form.Item>
        <div className="bar">
          <Button type="primary" htmlType="submit" loading={busy}>
            {t(to === 'on' ? 'approvals.switchOn' : 'approvals.withdraw')}
          </Button>
          <Button onClick={onClose}>{t('action.cancel')}</Button>
        </div>
      </Form>
    </Modal>
  );
}
