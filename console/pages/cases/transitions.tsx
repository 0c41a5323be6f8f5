import { useQueryClient } from '@tanstack/react-query';
import { Alert, App, Button, Form, Input, Modal, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { TransitionsAnswer } from '#grid/api/mod.ts';
import type { Case } from '#grid/mod.ts';
import { call, uploadPhoto, useThing } from '../../api/mod.ts';
import { zh } from '../../i18n/mod.ts';
import { faultText, pickLabel } from '../../parts/mod.ts';

export type Step = TransitionsAnswer['items'][number];

/** The part of JSON Schema that inputs of transitions use. */
interface Schema {
  type?: string;
  const?: string;
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  maxLength?: number;
  minItems?: number;
}
type Label = keyof typeof zh.input;
const isLabel = (name: string): name is Label => Object.hasOwn(zh.input, name);
/** Texts from this length on get room for several lines. */
const LONG_CHARS = 200;

/** What this person may do with the case now; undefined while that is not known. */
export function useSteps({ id, updatedAt }: Case): readonly Step[] | undefined {
  return useThing<TransitionsAnswer>(['cases', 'transitions', id, updatedAt], `/api/v1/cases/${id}/transitions`).data?.items;
}

/** Only what this person may do now: the centre says what that is, and what each step wants to know. */
export function Transitions({ of }: { of: Case }) {
  const { t } = useTranslation();
  const [chosen, setChosen] = useState<Step | null>(null);
  const steps = useSteps(of);
  if (steps === undefined) return null;
  if (steps.length === 0) return <p className="dim small">{t('cases.noActions')}</p>;
  return (
    <div className="bar">
      {steps.map((step, i) => (
        <Button key={step.name} type={i === 0 ? 'primary' : 'default'} onClick={() => setChosen(step)}>
          {pickLabel(step)}
        </Button>
      ))}
      {chosen && <Ask key={chosen.name} id={of.id} step={chosen} onClose={() => setChosen(null)} />}
    </div>
  );
}

/** Asks for what a step wants to know, and takes it. */
export function Ask({
  id,
  step,
  initial = {},
  onClose,
}: {
  id: string;
  step: Step;
  /** What is known already. */
  initial?: Record<string, string>;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { message } = App.useApp();
  const [fault, setFault] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [files, setFiles] = useState<File[]>([]);
  const schema = step.input as Schema;
  const properties = Object.entries(schema.properties ?? {}).filter(([name]) => isLabel(name));
  const submit = async (values: Record<string, string | undefined>) => {
    setBusy(true);
    setFault(null);
    try {
      const given = Object.entries(values).filter(([, value]) => value !== undefined && value.trim() !== '');
      const evidence = await Promise.all(files.map(uploadPhoto));
      const body = { ...Object.fromEntries(given), ...(evidence.length > 0 ? { evidence } : {}) };
      await call(`/api/v1/cases/${id}/transitions/${step.name}`, { method: 'POST', body });
      void message.success(t('cases.done', { name: pickLabel(step) }));
      onClose();
    } catch (error) {
      setFault(faultText(error));
    } finally {
      setBusy(false);
      void client.invalidateQueries({ queryKey: ['cases'] });
    }
  };
  return (
    <Modal open title={pickLabel(step)} footer={null} onCancel={onClose}>
      <Form layout="vertical" requiredMark={false} initialValues={initial} onFinish={submit}>
        {fault !== null && <Alert type="error" showIcon title={fault} />}
        {properties.map(([name, part]) =>
          part.type === 'array' ? (
            <Photos key={name} files={files} onFiles={setFiles} />
          ) : (
            <Form.Item
              key={name}
              name={name}
              label={isLabel(name) ? t(`input.${name}`) : name}
              rules={schema.required?.includes(name) ? [{ required: true, message: t('input.required') }] : []}
            >
              <Field schema={part} />
            </Form.Item>
          ),
        )}
        <div className="bar">
          <Button type="primary" htmlType="submit" loading={busy}>
            {pickLabel(step)}
          </Button>
          <Button onClick={onClose}>{t('action.cancel')}</Button>
        </div>
      </Form>
    </Modal>
  );
}

/** One of a few words, a line or a text. Ant Design hands value and change over. */
function Field({ schema, ...bound }: { schema: Schema }) {
  const { t } = useTranslation();
  const words = (schema.anyOf ?? [schema]).flatMap((s) => s.const ?? []);
  if (words.length > 0)
    return <Select {...bound} allowClear options={words.map((w) => ({ value: w, label: isLabel(w) ? t(`input.${w}`) : w }))} />;
  const { maxLength = 64 } = schema;
  if (maxLength > LONG_CHARS) return <Input.TextArea {...bound} maxLength={maxLength} autoSize={{ minRows: 2, maxRows: 8 }} />;
  return <Input {...bound} maxLength={maxLength} />;
}

function Photos({ files, onFiles }: { files: File[]; onFiles: (files: File[]) => void }) {
  const { t } = useTranslation();
  if (!crypto.subtle) return <Alert type="info" showIcon title={t('input.insecure')} />;
  return (
    <Form.Item label={t('input.evidence')} htmlFor="photos">
      <input
        id="photos"
        type="file"
        accept="image/jpeg"
        multiple
        onChange={(e) => onFiles([...(e.target.files ?? [])].slice(0, 16))}
      />
      {files.length > 0 && <span className="dim small"> {files.length}</span>}
    </Form.Item>
  );
}
