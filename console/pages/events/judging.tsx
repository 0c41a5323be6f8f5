import { useQueryClient } from '@tanstack/react-query';
import { App } from 'antd';
import { useState } from 'react';
import type { EventAnswer, VerdictInput } from '#grid/api/mod.ts';
import { call, renew } from '../../api/mod.ts';
import { faultText } from '../../parts/mod.ts';

export interface Judging {
  accept(): void;
  /** Opens the choice of reasons. */
  ask(): void;
  reject(input: Extract<VerdictInput, { verdict: 'rejected' }>): void;
  undo(): void;
  asking: boolean;
  cancel(): void;
  busy: boolean;
}

/** Verdicts on the event at hand; `onDone` when one is stored. */
export function useJudging(event: EventAnswer | undefined, onDone: () => void): Judging {
  const client = useQueryClient();
  const { message } = App.useApp();
  const [asking, setAsking] = useState(false);
  /** Events whose verdict is on its way. */
  const [sending, setSending] = useState<ReadonlySet<string>>(new Set());
  const subject = event?.record.subject;
  const busy = subject !== undefined && sending.has(subject);
  const send = async (method: 'PUT' | 'DELETE', body?: VerdictInput) => {
    if (subject === undefined || busy) return;
    setSending((before) => new Set(before).add(subject));
    try {
      await call(`/api/v1/events/${subject}/verdict`, { method, ...(body === undefined ? {} : { body }) });
      // The reasons of another event may be open by now.
      if (body?.verdict === 'rejected') setAsking(false);
      if (method === 'PUT') onDone();
      // Not waited for: the next key may come before the list does.
      void renew(client, 'events');
      void client.invalidateQueries({ queryKey: ['verdicts'] });
    } catch (error) {
      void message.error(faultText(error));
    } finally {
      setSending((before) => new Set([...before].filter((other) => other !== subject)));
    }
  };
  return {
    accept: () => void send('PUT', { verdict: 'accepted' }),
    ask: () => setAsking(subject !== undefined),
    reject: (input) => void send('PUT', input),
    undo: () => void send('DELETE'),
    asking,
    cancel: () => setAsking(false),
    busy,
  };
}
