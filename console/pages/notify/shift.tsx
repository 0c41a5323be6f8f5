import { Button, Form, Input, Modal, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import type { AlertTopic, DutyShift, NotifyPerson } from '#grid/api/mod.ts';
import { zh } from '../../i18n/mod.ts';
import { HOLIDAYS, readHours } from './windows.ts';

const DAYS = [1, 2, 3, 4, 5, 6, 7] as const;
const MODES = ['any', 'except', 'only'] as const;

interface ShiftForm {
  id: string;
  days: number[];
  hours: string;
  holidays: (typeof MODES)[number];
  topics: AlertTopic[];
  people: string[];
}

export function AddShift({
  people,
  onClose,
  onAdd,
}: {
  people: readonly NotifyPerson[];
  onClose: () => void;
  onAdd: (shift: DutyShift) => Promise<void>;
}) {
  const { t } = useTranslation();
  const finish = async ({ id, days, hours, holidays, topics, people: order }: ShiftForm) => {
    const window = readHours(hours);
    if (window === null) return;
    const calendar = holidays === 'only' ? { calendar: HOLIDAYS } : holidays === 'except' ? { exceptCalendar: HOLIDAYS } : {};
    await onAdd({ id, when: [{ ...window, ...(days.length === 0 ? {} : { days }), ...calendar }], topics, people: order });
    onClose();
  };
  return (
    <Modal open title={t('notify.addShift')} footer={null} onCancel={onClose}>
      <Form
        name="shift"
        layout="vertical"
        requiredMark={false}
        initialValues={{ days: [], hours: '00:00-24:00', holidays: 'any', topics: [], people: [] }}
        onFinish={finish}
      >
        <Form.Item
          name="id"
          label={t('notify.shift')}
          rules={[{ required: true, pattern: /^[A-Za-z0-9_-]{1,64}$/, message: t('users.namePattern') }]}
        >
          <Input maxLength={64} />
        </Form.Item>
        <Form.Item name="people" label={t('notify.order')} rules={[{ required: true, message: t('input.required') }]}>
          <Select mode="multiple" options={people.map((p) => ({ value: p.id, label: p.name }))} />
        </Form.Item>
        <Form.Item
          name="hours"
          label={t('notify.times')}
          rules={[
            {
              validator: (_, text: string) =>
                readHours(text) === null ? Promise.reject(new Error(t('notify.badTimes'))) : Promise.resolve(),
            },
          ]}
        >
          <Input maxLength={16} />
        </Form.Item>
        <Form.Item name="days" label={t('notify.days')}>
          <Select
            mode="multiple"
            placeholder={t('notify.everyDay')}
            options={DAYS.map((value) => ({ value, label: t(`notify.day.d${value}`) }))}
          />
        </Form.Item>
        <Form.Item name="holidays" label={t('notify.holidayMode.any')}>
          <Select options={MODES.map((value) => ({ value, label: t(`notify.holidayMode.${value}`) }))} />
        </Form.Item>
        <Form.Item name="topics" label={t('notify.topics')}>
          <Select
            mode="multiple"
            placeholder={t('notify.allTopics')}
            options={(Object.keys(zh.notify.topic) as AlertTopic[]).map((value) => ({
              value,
              label: t(`notify.topic.${value}`),
            }))}
          />
        </Form.Item>
        <Button type="primary" htmlType="submit">
          {t('action.save')}
        </Button>
      </Form>
    </Modal>
  );
}
