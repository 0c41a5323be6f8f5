import type { zh } from '../../i18n/zh.ts';

/** Which of our texts says what the centre's check says in English, and what is filled into it. */
export interface MistakeText {
  key: keyof typeof zh.mistakes;
  n?: string;
}

/** Sentences of the site's checks (grid/site/mistakes.ts). */
const SENTENCES: Readonly<Record<string, MistakeText['key']>> = {
  'encloses nothing: its corners lie in a line': 'flat',
  'stands here twice': 'twice',
  'people are never an event class': 'people',
  'more than it is out of': 'seenOf',
  'going over a line takes no time: 0': 'noTime',
  'a rule counts, or watches a line: write two rules': 'either',
  'both ends are the same point': 'samePoint',
  'there is no such event class': 'noClass',
  'there is no such fault': 'noFault',
  'there is no such day': 'noDay',
  'the site has no such calendar': 'noCalendar',
  'no calibration point lies in a unit grid of the site': 'outside',
  'the points show a mirror image: left and right ones are swapped': 'mirror',
  'is required': 'required',
  'unknown key': 'unknownKey',
};

/** Sentences of schemas; the group is the limit. Patterns by how they begin: those of a clock, a day and an id are the ones that people type. */
const SCHEMAS: readonly (readonly [RegExp, MistakeText['key']])[] = [
  [/^must be >=? (.+)$/, 'least'],
  [/^must be <=? (.+)$/, 'most'],
  [/^must not have more than (\d+) items$/, 'itemsMost'],
  [/^must not have fewer than (\d+) items$/, 'itemsLeast'],
  [/^must not have more than (\d+) characters$/, 'charsMost'],
  [/^must not have fewer than (\d+) characters$/, 'charsLeast'],
  [/^must not have more than (\d+) properties$/, 'itemsMost'],
  [/^must not have duplicate items$/, 'double'],
  [/^must match pattern "\^\(+\[01\]/, 'clock'],
  [/^must match pattern "\^20\[/, 'day'],
  [/^must match pattern "\^\[A-Za-z0-9_-\]/, 'id'],
  [/^must match pattern /, 'pattern'],
  [/^must be (?:number|integer|either )/, 'number'],
  [/^must be (?:string|boolean|array|object|null)(?: or |$)/, 'kind'],
  [/^must (?:be one of: |match a schema|match exactly)/, 'choice'],
];

/** Null: a sentence that we have no text for, to be shown as it came. */
export function mistakeText(message: string): MistakeText | null {
  const key = Object.hasOwn(SENTENCES, message) ? SENTENCES[message] : undefined;
  if (key !== undefined) return { key };
  for (const [pattern, text] of SCHEMAS) {
    const found = pattern.exec(message);
    if (found !== null) return { key: text, ...(found[1] === undefined ? {} : { n: found[1] }) };
  }
  return null;
}
