import { Button, Form, Input, Modal, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import type { ChannelAnswer, NotifyPerson } from '#grid/api/mod.ts';
import { LANGUAGES } from '../../i18n/mod.ts';
import { readAllHours, windowText } from './windows.ts';

interface PersonForm {
  id: string;
  name: string;
  language: NotifyPerson['language'];
  quiet?: string;
  /** Channels, and the address of each by its id. */
  channels: string[];
  addresses?: Record<string, string>;
}

function formOf({ id, name, language, to, quiet = [] }: NotifyPerson): PersonForm {
  return {
    ...{ id, name, language, quiet: quiet.map((w) => windowText(w)).join(', ') },
    channels: to.map((t) => t.channel),
    addresses: Object.fromEntries(to.map((t) => [t.channel, t.address])),
  };
}

/** Somebody new, or the one who is known. */
export function EditPerson({
  known,
  channels,
  onClose,
  onSave,
}: {
  known: NotifyPerson | null;
  channels: readonly ChannelAnswer[];
  onClose: () => void;
  onSave: (person: NotifyPerson) => Promise<void>;
}) {
  const { t, i18n } = useTranslation();
  const [form] = Form.useForm<PersonForm>();
  const chosen = Form.useWatch('channels', form) ?? [];
  const finish = async ({ id, name, language, quiet = '', addresses = {} }: PersonForm) => {
    const hours = readAllHours(quiet) ?? [];
    const to = chosen.map((channel) => ({ channel, address: (addresses[channel] ?? '').trim() }));
    await onSave({ id: known?.id ?? id, name, language, to, ...(hours.length === 0 ? {} : { quiet: hours }) });
    onClose();
  };
  return (
    <Modal open title={known?.name ?? t('notify.addPerson')} footer={null} onCancel={onClose}>
      <Form
        name="person"
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={known === null ? { language: i18n.language, channels: [] } : formOf(known)}
        onFinish={finish}
      >
        {known === null && (
          <Form.Item
            name="id"
            label={t('notify.personId')}
            rules={[{ required: true, pattern: /^[A-Za-z0-9_-]{1,64}$/, message: t('users.namePattern') }]}
          >
            <Input maxLength={64} />
          </Form.Item>
        )}
        <Form.Item name="name" label={t('notify.name')} rules={[{ required: true, message: t('input.required') }]}>
          <Input maxLength={64} />
        </Form.Item>
        <Form.Item name="language" label={t('language.label')}>
          <Select options={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))} />
        </Form.Item>
        <Form.Item name="channels" label={t('notify.channel')} rules={[{ required: true, message: t('input.required') }]}>
          <Select mode="multiple" options={channels.map((c) => ({ value: c.id, label: `${c.id} (${c.kind})` }))} />
        </Form.Item>
        {chosen.map((channel) => (
          <Form.Item key={channel} name={['addresses', channel]} label={`${channel}: ${t('notify.address')}`}>
            <Input maxLength={254} />
          </Form.Item>
        ))}
        <Form.Item
          name="quiet"
          label={t('notify.quiet')}
          rules={[
            {
              validator: (_, text: string | undefined) =>
                readAllHours(text ?? '') !== null ? Promise.resolve() : Promise.reject(new Error(t('notify.badTimes'))),
            },
          ]}
        >
          <Input maxLength={64} placeholder="22:00-07:00" />
        </Form.Item>
        <Button type="primary" htmlType="submit">
          {t('action.save')}
        </Button>
      </Form>
    </Modal>
  );
}
