import { CloudUploadOutlined, UndoOutlined } from '@ant-design/icons';
import { useQueryClient } from '@tanstack/react-query';
import { Alert, Button, Input } from 'antd';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { DesiredCameraAnswer } from '#grid/api/mod.ts';
import { ApiError, call, type Mistake } from '../../api/mod.ts';
import { DesiredState, faultText } from '../../parts/mod.ts';
import { isChanged, type Kept, type Parts } from './kept.ts';
import { useMistakeText } from './mistakes.tsx';
import { Overtaken } from './overtaken.tsx';

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

/** Others may go on changing other things of the edge while this is sent. */
const TRIES_MAX = 3;

const isStale = (error: unknown) => error instanceof ApiError && error.code === 'GEWU_REVISION_STALE';

/** A change of `base`; where others have changed other things of its edge meanwhile, on top of that. Throws ApiError. */
async function send(base: DesiredCameraAnswer, parts: Parts, reason: string): Promise<void> {
  const path = pathOf(base.edge, base.camera);
  for (let [tries, on] = [1, base]; ; tries++) {
    try {
      await call(path, { method: 'PATCH', body: { revision: on.revision, reason, ...parts } });
      return;
    } catch (error) {
      if (!isStale(error) || tries === TRIES_MAX) throw error;
      on = await call<DesiredCameraAnswer>(path);
      if (isChanged(base, on, parts)) throw error;
    }
  }
}

/** Sends a draft to the edge, with a reason, and shows what the edge makes of it, and what others have changed since it was begun. */
export function Push({
  desired,
  kept: { base, goOnFrom, discard },
  parts,
  mistakes,
}: {
  desired: DesiredCameraAnswer;
  kept: Kept<unknown>;
  /** None: nothing has been changed, or it cannot be sent. */
  parts: Parts | null;
  mistakes: readonly Mistake[];
}) {
  const { t } = useTranslation();
  const text = useMistakeText();
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const [fault, setFault] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const isOvertaken = parts !== null && isChanged(base, desired, parts);
  const push = async (from: DesiredCameraAnswer) => {
    if (parts === null) return;
    setBusy(true);
    setFault(null);
    goOnFrom(from);
    try {
      await send(from, parts, reason.trim());
      setReason('');
      discard();
    } catch (error) {
      setFault(isStale(error) ? t('desired.stale') : faultText(error));
    } finally {
      setBusy(false);
      await client.invalidateQueries({ queryKey: ['desired'] });
    }
  };
  return (
    <div className="push">
      <DesiredState of={desired} long />
      {isOvertaken ? (
        <Overtaken base={base} newest={desired}>
          {/* Buttons of their own: one that is about to be pressed does not become another. */}
          <Button danger loading={busy} disabled={reason.trim() === '' || mistakes.length > 0} onClick={() => void push(desired)}>
            {t('desired.pushOver')}
          </Button>
          <Button onClick={discard}>{t('desired.takeTheirs')}</Button>
        </Overtaken>
      ) : (
        fault !== null && <Alert type="error" showIcon title={fault} />
      )}
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
            disabled={isOvertaken || reason.trim() === '' || mistakes.length > 0}
            onClick={() => void push(base)}
          >
            {t('desired.push')}
          </Button>
          <Button icon={<UndoOutlined />} onClick={discard}>
            {t('desired.discard')}
          </Button>
        </div>
      )}
    </div>
  );
}
