import { DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import { Button, Checkbox, Input, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import type { TimeWindow } from './draft.ts';
import { useMistakesAt, useMistakeText } from './mistakes.tsx';
import type { PartProps } from './rule_form.tsx';

const DAYS = [1, 2, 3, 4, 5, 6, 7] as const;
const NEW: TimeWindow = { from: '08:00', to: '20:00' };
const WINDOWS_MAX = 21;

/** When a rule is in force, or when what it finds is permitted: weekly windows in the site's time zone. None in `schedule` means always. */
export function Windows({
  name,
  rule,
  at,
  calendars,
  onRule,
}: { name: 'schedule' | 'permitted'; calendars: readonly string[] } & PartProps) {
  const { t } = useTranslation();
  const windows = rule[name] ?? [];
  const set = (next: TimeWindow[]) => {
    const { [name]: _, ...rest } = rule;
    onRule(next.length === 0 ? rest : { ...rest, [name]: next });
  };
  return (
    <fieldset className="windows">
      <legend>{t(`zones.${name}`)}</legend>
      {windows.length === 0 && <p className="dim small">{t(name === 'schedule' ? 'zones.always' : 'zones.never')}</p>}
      {windows.map((window, i) => (
        <Window
          // biome-ignore lint/suspicious/noArrayIndexKey: windows have no other identity
          key={i}
          window={window}
          calendars={calendars}
          at={`${at}.${name}.${i}`}
          onWindow={(next) => set(windows.with(i, next))}
          onRemove={() => set(windows.toSpliced(i, 1))}
        />
      ))}
      {windows.length < WINDOWS_MAX && (
        <Button size="small" icon={<PlusOutlined />} onClick={() => set([...windows, NEW])}>
          {t('zones.addWindow')}
        </Button>
      )}
    </fieldset>
  );
}

/** 1 January 2024 was a Monday. */
const dayName = (day: number, language: string) =>
  new Date(Date.UTC(2024, 0, day)).toLocaleDateString(language, { weekday: 'short', timeZone: 'UTC' });

/** Every day, only on those of a calendar of the site, or on all but those. */
function CalendarOf({
  window,
  calendars,
  isWrong,
  onWindow,
}: {
  window: TimeWindow;
  calendars: readonly string[];
  isWrong: boolean;
  onWindow: (window: TimeWindow) => void;
}) {
  const { t } = useTranslation();
  const { calendar, exceptCalendar, ...rest } = window;
  const value = calendar !== undefined ? `+${calendar}` : exceptCalendar !== undefined ? `-${exceptCalendar}` : '';
  const names = [...new Set([...calendars, ...[calendar, exceptCalendar].filter((n) => n !== undefined)])];
  if (names.length === 0) return null;
  const choose = (to: string) => {
    const name = to.slice(1);
    onWindow({ ...rest, ...(to === '' ? {} : to.startsWith('+') ? { calendar: name } : { exceptCalendar: name }) });
  };
  return (
    <Select
      aria-label={t('zones.calendar')}
      status={isWrong ? 'error' : ''}
      value={value}
      onChange={choose}
      popupMatchSelectWidth={false}
      options={[
        { value: '', label: t('zones.anyDay') },
        ...names.flatMap((name) => [
          { value: `+${name}`, label: t('zones.onlyOn', { name }) },
          { value: `-${name}`, label: t('zones.notOn', { name }) },
        ]),
      ]}
    />
  );
}

function Window({
  window,
  calendars,
  at,
  onWindow,
  onRemove,
}: {
  window: TimeWindow;
  calendars: readonly string[];
  at: string;
  onWindow: (window: TimeWindow) => void;
  onRemove: () => void;
}) {
  const { t, i18n } = useTranslation();
  const text = useMistakeText();
  const [mistake] = useMistakesAt(at);
  const { days, ...rest } = window;
  const setDays = (next: number[]) =>
    onWindow(next.length === 0 || next.length === DAYS.length ? rest : { ...rest, days: next.sort() });
  const time = (part: 'from' | 'to') => (
    <Input
      className="clock"
      aria-label={t(`zones.${part}`)}
      status={mistake?.key === `${at}.${part}` ? 'error' : ''}
      value={window[part]}
      maxLength={5}
      placeholder="HH:MM"
      onChange={(e) => onWindow({ ...window, [part]: e.target.value })}
    />
  );
  return (
    <div className="window">
      <Checkbox.Group
        aria-label={t('zones.days')}
        value={days ?? [...DAYS]}
        onChange={setDays}
        options={DAYS.map((value) => ({ value, label: dayName(value, i18n.language) }))}
      />
      <span>
        {time('from')} – {time('to')}
        <Button type="text" icon={<DeleteOutlined />} aria-label={t('zones.removeWindow')} onClick={onRemove} />
      </span>
      <CalendarOf window={window} calendars={calendars} isWrong={mistake?.key.includes('alendar') ?? false} onWindow={onWindow} />
      {window.dates !== undefined && <span className="dim small mono">{window.dates.join(', ')}</span>}
      {mistake && (
        <span className="bad-text small" role="alert">
          {text(mistake.message)}
        </span>
      )}
    </div>
  );
}
