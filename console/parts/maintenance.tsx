import { useQueryClient } from '@tanstack/react-query';
import { Alert, App, Button, Form, Input, Modal, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { MaintenanceNow, Subject } from '#grid/api/mod.ts';
import { call } from '../api/mod.ts';
import { momentText } from './time.tsx';

const MINUTES = [30, 60, 120, 240, 480, 1440, 4320, 10_080];
const MINUTES_DEFAULT = 120;
const HOUR = 60;
const DAY = 1440;

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
    begin: async (subjects: readonly Subject[], minutes: number, reason: string) => {
      await call('/api/v1/upkeep/maintenance', { method: 'POST', body: { subjects, minutes, reason } });
      void message.success(t('upkeep.begun', { n: subjects.length }));
      await renew();
    },
    end: async (subjects: readonly Subject[]) => {
      try {
        const body = { subjects };
        const { items } = await call<{ items: unknown[] }>('/api/v1/upkeep/maintenance/end', { method: 'POST', body });
        void message.success(t('upkeep.ended', { n: items.length }));
      } catch (error) {
        void message.error((error as Error).message);
      }
      await renew();
    },
  };
}

export function BeginMaintenance({ subjects, onClose }: { subjects: readonly Subject[]; onClose: () => void }) {
  const { t } = useTranslation();
  const { begin } = useMaintenance();
  const [fault, setFault] = useState<string | null>(null);
  const finish = async ({ minutes, reason }: { minutes: number; reason: string }) => {
    try {
      await begin(subjects, minutes, reason.trim());
      onClose();
    } catch (error) {
      setFault((error as Error).message);
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
