import { Alert, Button, Form, Input, Modal, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { GrantAnswer } from '#grid/api/mod.ts';
import { call } from '../api/mod.ts';
import { faultText } from './fault_text.ts';

/** Of `NewGrant` in grid/evidence/grant.ts, whose module would bring the schema library into the browser. */
const PURPOSE_CHARS = { min: 8, max: 500 };
const MINUTES = [5, 15, 30, 60];
const MINUTES_DEFAULT = 15;

/** Asks for an exception from "masked for everybody": why, and for how long. The centre and the edge write down both. */
export function AskGrant({
  title,
  kind,
  subject,
  onClose,
  onGranted,
}: {
  title: string;
  kind: GrantAnswer['kind'];
  subject: GrantAnswer['subject'];
  onClose: () => void;
  onGranted: (grant: GrantAnswer) => unknown;
}) {
  const { t } = useTranslation();
  const [fault, setFault] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const ask = async ({ purpose, minutes }: { purpose: string; minutes: number }) => {
    setBusy(true);
    setFault(null);
    try {
      const body = { kind, subject, purpose: purpose.trim(), minutes };
      await onGranted(await call<GrantAnswer>('/api/v1/grants', { method: 'POST', body }));
      onClose();
    } catch (error) {
      setFault(faultText(error));
      setBusy(false);
    }
  };
  return (
    <Modal open title={title} footer={null} onCancel={onClose}>
      <Form layout="vertical" requiredMark={false} initialValues={{ minutes: MINUTES_DEFAULT }} onFinish={ask}>
        <Alert type="warning" showIcon title={t('grants.logged')} />
        {fault !== null && <Alert type="error" showIcon title={fault} />}
        <Form.Item
          name="purpose"
          label={t('grants.purpose')}
          rules={[
            {
              required: true,
              whitespace: true,
              min: PURPOSE_CHARS.min,
              message: t('grants.purposeShort', { n: PURPOSE_CHARS.min }),
            },
          ]}
        >
          <Input.TextArea autoFocus maxLength={PURPOSE_CHARS.max} autoSize={{ minRows: 2, maxRows: 6 }} />
        </Form.Item>
        <Form.Item name="minutes" label={t('grants.howLong')}>
          <Select options={MINUTES.map((n) => ({ value: n, label: t('time.minutes', { n }) }))} />
        </Form.Item>
        <div className="bar">
          <Button type="primary" htmlType="submit" loading={busy}>
            {t('grants.ask')}
          </Button>
          <Button onClick={onClose}>{t('action.cancel')}</Button>
        </div>
      </Form>
    </Modal>
  );
}
