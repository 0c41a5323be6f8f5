import { Form } from 'antd';
import { createContext, type ReactElement, useContext } from 'react';
import { useTranslation } from 'react-i18next';
import type { Mistake } from '../../api/mod.ts';
import { mistakeText } from './mistake_text.ts';

/** What the centre, which checks as the edge does, finds wrong with what is being edited, by key. */
const Context = createContext<readonly Mistake[]>([]);
export const Mistakes = Context.Provider;

/** What a mistake says, in the language of the page; a sentence that is not known is shown as it came. */
export function useMistakeText(): (message: string) => string {
  const { t } = useTranslation();
  return (message) => {
    const text = mistakeText(message);
    return text === null ? message : t(`mistakes.${text.key}`, { n: text.n });
  };
}

/** The mistakes of one key and of what lies below it. */
export function useMistakesAt(key: string): readonly Mistake[] {
  return useContext(Context).filter((m) => m.key === key || m.key.startsWith(`${key}.`));
}

/** A labelled input that says what is wrong with it. */
export function Field({ at, label, children }: { at: string; label: string; children: (id: string) => ReactElement }) {
  const text = useMistakeText();
  const [first] = useMistakesAt(at);
  const id = `field-${at.replaceAll('.', '-')}`;
  return (
    <Form.Item
      label={label}
      htmlFor={id}
      {...(first === undefined ? {} : { validateStatus: 'error', help: <span role="alert">{text(first.message)}</span> })}
    >
      {children(id)}
    </Form.Item>
  );
}
