import { useQueryClient } from '@tanstack/react-query';
import { Alert, App, Button, Form, Input, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { DeadLetterAnswer, ReplayAnswer } from '#grid/api/mod.ts';
import { call } from '../../api/mod.ts';
import { codeText, Facts, faultText, Moment } from '../../parts/mod.ts';

/** Payloads are kept up to here; one of just this length was cut. */
const KEPT_BYTES = 4096;
/** What is wrong with these is the frame, which its edge sends again by itself. */
const NO_REPLAY = 'frame';

interface MendForm {
  payload: string;
  topic: string;
  reason: string;
}

/** One dead letter: read, mended, replayed, discarded. Keyed by its id: another letter is another form. */
export function Letter({
  of,
  onClose,
  onOther,
}: {
  of: DeadLetterAnswer;
  onClose: () => void;
  onOther: (l: DeadLetterAnswer) => void;
}) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const client = useQueryClient();
  const [form] = Form.useForm<MendForm>();
  const [fault, setFault] = useState<string | null>(null);
  const { id, code, hop, edge, source, reason, ts, replays, payload, topic } = of;
  const said = codeText(code);
  const text = textOf(payload);
  const renew = () => client.invalidateQueries({ queryKey: ['pipeline'] });

  const replay = async (form: MendForm) => {
    const mended = form.payload === text ? {} : { payload: base64Of(form.payload) };
    const other = hop === 'device' && form.topic !== topic ? { topic: form.topic } : {};
    try {
      const body = { reason: form.reason.trim(), ...mended, ...other };
      const { outcome, letter } = await call<ReplayAnswer>(`/api/v1/dead-letters/${id}/replay`, { method: 'POST', body });
      void message.info(t(`pipeline.outcome.${outcome}`, { reason: letter?.reason ?? '' }));
      if (outcome === 'broken' && letter !== null) onOther(letter);
      else onClose();
    } catch (error) {
      setFault(faultText(error));
    }
    await renew();
  };
  const discard = async () => {
    const { reason: why } = await form.validateFields(['reason']);
    try {
      await call('/api/v1/dead-letters/discard', { method: 'POST', body: { ids: [id], reason: why.trim() } });
      onClose();
    } catch (error) {
      setFault(faultText(error));
    }
    await renew();
  };

  return (
    <Modal open title={code} footer={null} onCancel={onClose} width={640}>
      <Facts
        rows={[
          [t('field.time'), <Moment key="at" at={ts} />],
          [t('field.edge'), edge],
          [t('pipeline.hop'), hop],
          [t('field.source'), source],
          [t('field.reason'), said === null ? reason : `${said} (${reason})`],
          replays > 0 ? [t('pipeline.replay'), t('pipeline.replays', { n: replays })] : null,
        ]}
      />
      {fault !== null && <Alert type="error" showIcon title={fault} />}
      {atob(payload).length >= KEPT_BYTES && <Alert type="warning" showIcon title={t('pipeline.replayCut')} />}
      <Form
        name="letter"
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={{ payload: text, topic: topic ?? '', reason: '' }}
        onFinish={(values: MendForm) => void replay(values)}
      >
        {hop === 'device' && (
          <Form.Item name="topic" label={t('pipeline.topic')}>
            <Input className="mono" maxLength={256} />
          </Form.Item>
        )}
        <Form.Item name="payload" label={t('pipeline.payload')}>
          <Input.TextArea className="payload mono" autoSize={{ minRows: 3, maxRows: 14 }} spellCheck={false} />
        </Form.Item>
        <Form.Item
          name="reason"
          label={t('pipeline.replayReason')}
          rules={[{ required: true, whitespace: true, message: t('input.required') }]}
        >
          <Input maxLength={500} />
        </Form.Item>
        <div className="bar">
          <Button type="primary" htmlType="submit" disabled={hop === NO_REPLAY}>
            {t('pipeline.mend')}
          </Button>
          <Button danger onClick={() => void discard().catch(() => undefined)}>
            {t('pipeline.discard')}
          </Button>
        </div>
      </Form>
    </Modal>
  );
}

/** Base64 to what it says, bytes that are no text shown as such. */
function textOf(payload: string): string {
  const bytes = Uint8Array.from(atob(payload), (c) => c.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}

function base64Of(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
