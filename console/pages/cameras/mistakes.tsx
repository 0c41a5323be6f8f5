import { Form } from 'antd';
import { createContext, type ReactElement, useContext } from 'react';
import { useTranslation } from 'react-i18next';
import type { Mistake } from '../../api/mod.ts';

/** What the centre, which checks as the edge does, finds wrong with what is being edited, by key. */
const Context = createContext<readonly Mistake[]>([]);
export const Mistakes = Context.Provider;

/** Its words, in English, and ours. What is not among them is shown as it came. */
const KNOWN = {
  'encloses nothing: its corners lie in a line': 'flat',
  'stands here twice': 'twice',
  'people are never an event class': 'people',
  'more than it is out of': 'seenOf',
  'going over a line takes no time: 0': 'noTime',
  'a rule counts, or watches a line: write two rules': 'either',
  'both ends are the same point': 'samePoint',
  'there is no such event class': 'noClass',
  'there is no such fault': 'noFault',
  'the site has no such calendar': 'noCalendar',
  'no calibration point lies in a unit grid of the site': 'outside',
  'the points show a mirror image: left and right ones are swapped': 'mirror',
} as const;

export function useMistakeText(): (message: string) => string {
  const { t } = useTranslation();
  return (message) => (Object.hasOwn(KNOWN, message) ? t(`mistakes.${KNOWN[message as keyof typeof KNOWN]}`) : message);
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
