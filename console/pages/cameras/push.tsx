import { CloudUploadOutlined, UndoOutlined } from '@ant-design/icons';
import { useQueryClient } from '@tanstack/react-query';
import { Alert, Button, Input } from 'antd';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { DesiredCameraAnswer } from '#grid/api/mod.ts';
import { ApiError, call, type Mistake } from '../../api/mod.ts';
import { DesiredState } from '../../parts/mod.ts';
import { useMistakeText } from './mistakes.tsx';

/** Parts of a camera, as a change of them is sent. */
export type Parts = Partial<Pick<DesiredCameraAnswer, 'zones' | 'exclude' | 'calibration'>>;

const CHECK_AFTER_MS = 600;

/**
 * What the centre says of parts that are not sent yet: it checks them as the edge would, a moment after the last change. None while
 * there is nothing to check.
 */
export function useChecked(desired: DesiredCameraAnswer, parts: Parts | null): readonly Mistake[] {
  const [mistakes, setMistakes] = useState<readonly Mistake[]>([]);
  const text = parts === null ? null : JSON.stringify(parts);
  const { edge, camera, revision } = desired;
  useEffect(() => {
    if (text === null) {
      setMistakes([]);
      return;
    }
    const over = new AbortController();
    const check = async () => {
      const body = { revision, reason: 'check', ...(JSON.parse(text) as Parts) };
      try {
        await call(`${pathOf(edge, camera)}?check=true`, { method: 'PATCH', body, signal: over.signal });
        setMistakes([]);
      } catch (error) {
        // Anything else is told when it is sent.
        if (error instanceof ApiError) setMistakes(error.mistakes);
      }
    };
    const timer = setTimeout(() => void check(), CHECK_AFTER_MS);
    return () => {
      clearTimeout(timer);
      over.abort();
    };
  }, [text, edge, camera, revision]);
  return mistakes;
}

const pathOf = (edge: string, camera: string) => `/api/v1/edges/${edge}/desired/cameras/${camera}`;

/** Sends a draft to the edge, with a reason, and shows what the edge makes of it. */
export function Push({
  desired,
  parts,
  mistakes,
  onPushed,
  onDiscard,
}: {
  desired: DesiredCameraAnswer;
  /** None: nothing has been changed. */
  parts: Parts | null;
  mistakes: readonly Mistake[];
  onPushed: () => void;
  onDiscard: () => void;
}) {
  const { t } = useTranslation();
  const text = useMistakeText();
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const [fault, setFault] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const push = async () => {
    setBusy(true);
    setFault(null);
    const { edge, camera, revision } = desired;
    try {
      await call(pathOf(edge, camera), { method: 'PATCH', body: { revision, reason: reason.trim(), ...parts } });
      setReason('');
      onPushed();
    } catch (error) {
      const stale = error instanceof ApiError && error.code === 'GEWU_REVISION_STALE';
      setFault(stale ? t('desired.stale') : (error as Error).message);
    } finally {
      setBusy(false);
      await client.invalidateQueries({ queryKey: ['desired'] });
    }
  };
  return (
    <div className="push">
      <DesiredState of={desired} long />
      {fault !== null && <Alert type="error" showIcon title={fault} />}
      {mistakes.length > 0 && (
        <ul className="mistakes" aria-label={t('desired.mistakes')}>
          {mistakes.map((m) => (
            <li key={`${m.key} ${m.message}`} className="bad-text small">
              ✕ <span className="mono">{m.key}</span> {text(m.message)}
            </li>
          ))}
        </ul>
      )}
      {parts !== null && (
        <div className="bar">
          <Input
            className="reason"
            aria-label={t('desired.reason')}
            placeholder={t('desired.reasonWanted')}
            value={reason}
            maxLength={500}
            onChange={(e) => setReason(e.target.value)}
          />
          <Button
            type="primary"
            icon={<CloudUploadOutlined />}
            loading={busy}
            disabled={reason.trim() === '' || mistakes.length > 0}
            onClick={() => void push()}
          >
            {t('desired.push')}
          </Button>
          <Button icon={<UndoOutlined />} onClick={onDiscard}>
            {t('desired.discard')}
          </Button>
        </div>
      )}
    </div>
  );
}
