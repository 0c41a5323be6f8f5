import { DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import { Button, Form, Input, Modal, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import type { AlertTopic, DutyShift, NotifyPerson } from '#grid/api/mod.ts';
import { zh } from '../../i18n/mod.ts';
import { calendarValue, HOURS_ALL, readHours, windowOf, windowText } from './windows.ts';

const DAYS = [1, 2, 3, 4, 5, 6, 7] as const;
const WINDOWS_MAX = 10;

interface WindowForm {
  days: number[];
  hours: string;
  /** As `calendarValue` has it. */
  calendar: string;
  dates?: string[];
}

interface ShiftForm {
  id: string;
  when: WindowForm[];
  topics: AlertTopic[];
  people: string[];
}

const ALWAYS: WindowForm = { days: [], hours: HOURS_ALL, calendar: '' };

function formOf({ id, when, topics = [], people }: DutyShift): ShiftForm {
  const windows = when.map(({ days = [], dates, ...rest }) => ({
    days: [...days],
    hours: windowText(rest),
    calendar: calendarValue(rest),
    ...(dates === undefined ? {} : { dates }),
  }));
  return { id, when: windows, topics: [...topics], people: [...people] };
}

/** A new shift, or the one that is known. */
export function EditShift({
  known,
  people,
  calendars,
  onClose,
  onSave,
}: {
  known: DutyShift | null;
  people: readonly NotifyPerson[];
  /** Names; `holidays` is one whether it has days or not. */
  calendars: readonly string[];
  onClose: () => void;
  onSave: (shift: DutyShift) => Promise<void>;
}) {
  const { t } = useTranslation();
  const [form] = Form.useForm<ShiftForm>();
  const finish = async () => {
    // With what has no field here: days that stand in the window itself.
    const { id, when, topics, people: order } = form.getFieldsValue(true) as ShiftForm;
    await onSave({ id: known?.id ?? id, when: when.flatMap((w) => windowOf(w) ?? []), topics, people: order });
    onClose();
  };
  return (
    <Modal open title={known?.id ?? t('notify.addShift')} footer={null} onCancel={onClose}>
      <Form
        name="shift"
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={known === null ? { when: [ALWAYS], topics: [], people: [] } : formOf(known)}
        onFinish={finish}
      >
        {known === null && (
          <Form.Item
            name="id"
            label={t('notify.shift')}
            rules={[{ required: true, pattern: /^[A-Za-z0-9_-]{1,64}$/, message: t('users.namePattern') }]}
          >
            <Input maxLength={64} />
          </Form.Item>
        )}
        <Form.Item name="people" label={t('notify.order')} rules={[{ required: true, message: t('input.required') }]}>
          <Select mode="multiple" options={people.map((p) => ({ value: p.id, label: p.name }))} />
        </Form.Item>
        <Form.List name="when">
          {(fields, { add, remove }) => (
            <fieldset className="windows">
              <legend>{t('notify.times')}</legend>
              {fields.map(({ key, name }) => (
                <WindowFields
                  key={key}
                  name={name}
                  calendars={calendars}
                  onRemove={fields.length > 1 ? () => remove(name) : null}
                />
              ))}
              {fields.length < WINDOWS_MAX && (
                <Button size="small" icon={<PlusOutlined />} onClick={() => add(ALWAYS)}>
                  {t('zones.addWindow')}
                </Button>
              )}
            </fieldset>
          )}
        </Form.List>
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

function WindowFields({
  name,
  calendars,
  onRemove,
}: {
  name: number;
  calendars: readonly string[];
  onRemove: (() => void) | null;
}) {
  const { t } = useTranslation();
  const check = (_: unknown, text: string) =>
    readHours(text) === null ? Promise.reject(new Error(t('notify.badTimes'))) : Promise.resolve();
  return (
    <div className="window">
      <Form.Item name={[name, 'hours']} label={t('notify.hours')} rules={[{ validator: check }]}>
        <Input maxLength={16} />
      </Form.Item>
      <Form.Item name={[name, 'days']} label={t('notify.days')}>
        <Select
          mode="multiple"
          placeholder={t('notify.everyDay')}
          options={DAYS.map((value) => ({ value, label: t(`notify.day.d${value}`) }))}
        />
      </Form.Item>
      <Form.Item name={[name, 'calendar']} label={t('zones.calendar')}>
        <Select
          options={[
            { value: '', label: t('zones.anyDay') },
            ...calendars.flatMap((calendar) => [
              { value: `+${calendar}`, label: t('zones.onlyOn', { name: calendar }) },
              { value: `-${calendar}`, label: t('zones.notOn', { name: calendar }) },
            ]),
          ]}
        />
      </Form.Item>
      {onRemove !== null && (
        <Button type="text" icon={<DeleteOutlined />} aria-label={t('zones.removeWindow')} onClick={onRemove} />
      )}
    </div>
  );
}
