import { Alert, Button, Form, Input, Modal } from 'antd';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { faultText } from './fault_text.ts';

const REASON_CHARS_MAX = 500;

/** Asks why, and does it. What is refused is said in the dialogue, which stays open. */
export function AskReason<Values extends object>({
  title,
  hint,
  action,
  onAct,
  onClose,
  children,
}: {
  title: string;
  /** What will happen. */
  hint: string;
  /** On the button. */
  action: string;
  onAct: (reason: string, values: Values) => Promise<unknown>;
  onClose: () => void;
  /** What else is asked: items of the form, whose values are handed on. */
  children?: ReactNode;
}) {
  const { t } = useTranslation();
  const [fault, setFault] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async ({ reason, ...values }: Values & { reason: string }) => {
    setBusy(true);
    setFault(null);
    try {
      await onAct(reason.trim(), values as unknown as Values);
      onClose();
    } catch (error) {
      setFault(faultText(error));
      setBusy(false);
    }
  };
  return (
    <Modal open title={title} footer={null} onCancel={onClose}>
      <Form layout="vertical" requiredMark={false} onFinish={submit}>
        {fault !== null && <Alert type="error" showIcon title={fault} />}
        <p>{hint}</p>
        {children}
        <Form.Item
          name="reason"
          label={t('desired.reason')}
          rules={[{ required: true, whitespace: true, message: t('input.required') }]}
        >
          <Input.TextArea autoFocus maxLength={REASON_CHARS_MAX} autoSize={{ minRows: 2, maxRows: 6 }} />
        </Form.Item>
        <div className="bar">
          <Button type="primary" htmlType="submit" loading={busy}>
            {action}
          </Button>
          <Button onClick={onClose}>{t('action.cancel')}</Button>
        </div>
      </Form>
    </Modal>
  );
}
