import { useQueryClient } from '@tanstack/react-query';
import { Alert, App, Button, Form, Input, Modal, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { MaintenanceNow, Subject } from '#grid/api/mod.ts';
import { call } from '../api/mod.ts';
import { faultText } from './fault_text.ts';
import { momentText } from './time.tsx';

const MINUTES = [30, 60, 120, 240, 480, 1440, 4320, 10_080];
const MINUTES_DEFAULT = 120;
const HOUR = 60;
const DAY = 1440;

const isPast = (text: string | undefined) => text !== undefined && text !== '' && Date.parse(text) < Date.now();

/** That somebody works on it, until when and why; `short`, where there is little room, says the rest on pointing. */
export function MaintenanceTag({ now, short = false }: { now: MaintenanceNow; short?: boolean }) {
  const { t } = useTranslation();
  if (now === null) return null;
  const { until, by, reason } = now;
  const [whole, who] = [t('upkeep.until', { time: momentText(until) }), t('upkeep.by', { name: by, reason })];
  return (
    <span className="tag maintenance" title={short ? `${whole} · ${who}` : who}>
      <i aria-hidden="true">⚒</i> {short ? t('upkeep.maintain') : whole}
    </span>
  );
}

/** Beginning and ending maintenance of several things; what shows them is read anew. */
export function useMaintenance() {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const client = useQueryClient();
  const renew = () => Promise.all([['devices'], ['upkeep']].map((queryKey) => client.invalidateQueries({ queryKey })));
  return {
    /** Throws what the centre says. */
    begin: async (body: { subjects: readonly Subject[]; from?: number; minutes: number; reason: string }) => {
      await call('/api/v1/upkeep/maintenance', { method: 'POST', body });
      void message.success(t(body.from === undefined ? 'upkeep.begun' : 'upkeep.planned', { n: body.subjects.length }));
      await renew();
    },
    /** What is open or to come of these, or windows by their ids. */
    end: async (body: { subjects: readonly Subject[] } | { windows: readonly string[] }) => {
      try {
        const { items } = await call<{ items: unknown[] }>('/api/v1/upkeep/maintenance/end', { method: 'POST', body });
        void message.success(t('upkeep.ended', { n: items.length }));
      } catch (error) {
        void message.error(faultText(error));
      }
      await renew();
    },
  };
}

export function BeginMaintenance({ subjects, onClose }: { subjects: readonly Subject[]; onClose: () => void }) {
  const { t } = useTranslation();
  const { begin } = useMaintenance();
  const [fault, setFault] = useState<string | null>(null);
  const finish = async ({ from, minutes, reason }: { from?: string; minutes: number; reason: string }) => {
    try {
      await begin({ subjects, minutes, reason: reason.trim(), ...(from ? { from: Date.parse(from) } : {}) });
      onClose();
    } catch (error) {
      setFault(faultText(error));
    }
  };
  const text = (n: number) =>
    n < HOUR ? t('upkeep.minutes', { n }) : n < DAY ? t('upkeep.hours', { n: n / HOUR }) : t('upkeep.days', { n: n / DAY });
  return (
    <Modal open title={t('upkeep.begin')} footer={null} onCancel={onClose}>
      <p className="dim small">{t('upkeep.hint')}</p>
      <Form
        name="maintenance"
        layout="vertical"
        requiredMark={false}
        initialValues={{ minutes: MINUTES_DEFAULT }}
        onFinish={finish}
      >
        {fault !== null && <Alert type="error" showIcon title={fault} />}
        {/* In the reader's own time zone, as all times of the console are. */}
        <Form.Item
          name="from"
          label={t('upkeep.from')}
          extra={t('upkeep.fromHint')}
          rules={[{ validator: (_, text) => (isPast(text) ? Promise.reject(new Error(t('upkeep.past'))) : Promise.resolve()) }]}
        >
          <Input type="datetime-local" />
        </Form.Item>
        <Form.Item name="minutes" label={t('upkeep.duration')}>
          <Select options={MINUTES.map((value) => ({ value, label: text(value) }))} />
        </Form.Item>
        <Form.Item
          name="reason"
          label={t('upkeep.reason')}
          rules={[{ required: true, whitespace: true, message: t('input.required') }]}
        >
          <Input maxLength={200} />
        </Form.Item>
        <Button type="primary" htmlType="submit">
          {t('upkeep.begin')}
        </Button>
      </Form>
    </Modal>
  );
}
