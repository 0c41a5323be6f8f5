import { PlusOutlined } from '@ant-design/icons';
import { useQueryClient } from '@tanstack/react-query';
import { Alert, Button, Form, Input, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { DesiredAnswer } from '#grid/api/mod.ts';
import { call, useMay } from '../../api/mod.ts';
import { AskReason, faultText, Nothing, Panel } from '../../parts/mod.ts';
import { readDays } from './days.ts';

type Calendars = DesiredAnswer['calendars'];
const NEXT_SHOWN = 4;
const REASON_CHARS_MAX = 500;

/** Holidays and market days of a site: those of its file, and those that are set here over them. */
export function CalendarsPanel({ desired, path }: { desired: DesiredAnswer; path: string }) {
  const { t } = useTranslation();
  const { ops } = useMay();
  const client = useQueryClient();
  const [edited, edit] = useState<{ name: string | null; days: string[] } | null>(null);
  const [removed, remove] = useState<string | null>(null);
  const { calendars, revision, state } = desired;
  const set = state.calendars ?? {};
  /** Throws what the centre says. */
  const save = async (next: Calendars, reason: string) => {
    try {
      const body = { revision, reason, calendars: Object.keys(next).length === 0 ? null : next };
      await call(`${path}/calendars`, { method: 'PUT', body });
    } finally {
      void client.invalidateQueries({ queryKey: ['desired'] });
    }
  };
  const names = Object.keys(calendars).sort();
  return (
    <Panel
      title={t('calendars.title')}
      beside={
        ops && (
          <Button icon={<PlusOutlined />} onClick={() => edit({ name: null, days: [] })}>
            {t('calendars.add')}
          </Button>
        )
      }
    >
      <p className="dim small">{t('calendars.hint')}</p>
      {names.length === 0 && <Nothing text={t('calendars.none')} />}
      <ul className="lines">
        {names.map((name) => (
          <li key={name} className="calendar">
            <b>{name}</b>
            <Days days={calendars[name] ?? []} />
            <span className="tag">{t(Object.hasOwn(set, name) ? 'calendars.ofCentre' : 'calendars.ofFile')}</span>
            {ops && (
              <Button size="small" onClick={() => edit({ name, days: calendars[name] ?? [] })}>
                {t('action.edit')}
              </Button>
            )}
            {ops && Object.hasOwn(set, name) && (
              <Button size="small" danger onClick={() => remove(name)}>
                {t('calendars.giveBack')}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {edited !== null && (
        <EditCalendar
          {...edited}
          onSave={(name, days, reason) => save({ ...set, [name]: days }, reason)}
          onClose={() => edit(null)}
        />
      )}
      {removed !== null && (
        <AskReason
          title={`${t('calendars.giveBack')}: ${removed}`}
          hint={t('calendars.giveBackMeans')}
          action={t('calendars.giveBack')}
          onAct={(reason) => save(Object.fromEntries(Object.entries(set).filter(([name]) => name !== removed)), reason)}
          onClose={() => remove(null)}
        />
      )}
    </Panel>
  );
}

/** How many, and which come next. */
function Days({ days }: { days: readonly string[] }) {
  const { t } = useTranslation();
  const today = new Date().toISOString().slice(0, 10);
  const coming = days.filter((day) => day >= today);
  return (
    <span className="dim">
      {t('calendars.count', { count: days.length })} ·{' '}
      {coming.length === 0 ? t('calendars.over') : t('calendars.next', { days: coming.slice(0, NEXT_SHOWN).join(', ') })}
    </span>
  );
}

interface CalendarForm {
  name: string;
  days: string;
  reason: string;
}

function EditCalendar({
  name: known,
  days: before,
  onSave,
  onClose,
}: {
  /** Null: a new one. */
  name: string | null;
  days: readonly string[];
  onSave: (name: string, days: string[], reason: string) => Promise<void>;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const [fault, setFault] = useState<string | null>(null);
  const finish = async ({ name, days, reason }: CalendarForm) => {
    try {
      await onSave(known ?? name, readDays(days).days, reason.trim());
      onClose();
    } catch (error) {
      setFault(faultText(error));
    }
  };
  const checkDays = (_: unknown, text: string) => {
    const { bad } = readDays(text ?? '');
    return bad === null ? Promise.resolve() : Promise.reject(new Error(t('calendars.badDays', { text: bad })));
  };
  return (
    <Modal open title={known ?? t('calendars.add')} footer={null} onCancel={onClose}>
      <Form
        name="calendar"
        layout="vertical"
        requiredMark={false}
        initialValues={{ name: known ?? '', days: before.join('\n') }}
        onFinish={finish}
      >
        {fault !== null && <Alert type="error" showIcon title={fault} />}
        {known === null && (
          <Form.Item
            name="name"
            label={t('calendars.name')}
            rules={[{ required: true, pattern: /^[A-Za-z0-9_-]{1,64}$/, message: t('users.namePattern') }]}
          >
            <Input maxLength={64} />
          </Form.Item>
        )}
        <Form.Item name="days" label={t('calendars.days')} rules={[{ validator: checkDays }]}>
          <Input.TextArea autoSize={{ minRows: 4, maxRows: 14 }} />
        </Form.Item>
        <Form.Item
          name="reason"
          label={t('desired.reason')}
          rules={[{ required: true, whitespace: true, message: t('input.required') }]}
        >
          <Input maxLength={REASON_CHARS_MAX} />
        </Form.Item>
        <Button type="primary" htmlType="submit">
          {t('desired.push')}
        </Button>
      </Form>
    </Modal>
  );
}
