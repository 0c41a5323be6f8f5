import { useQueryClient } from '@tanstack/react-query';
import { App, Button, Form, Input, InputNumber, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { DutyShift, NotifyPerson, NotifySettings, NotifySettingsAnswer } from '#grid/api/mod.ts';
import { call, useThing } from '../../api/mod.ts';
import { faultText, Nothing, Panel, Shown } from '../../parts/mod.ts';
import { EditPerson } from './person.tsx';
import { EditShift } from './shift.tsx';
import { HOLIDAYS, windowText } from './windows.ts';

const PATH = '/api/v1/notify/settings';

/** People, duty times, channels. Every change is saved at once, on the newest revision. */
export function Settings() {
  const asked = useThing<NotifySettingsAnswer>(['notify', 'settings'], PATH);
  return <Shown of={asked}>{(answer) => <Loaded key={answer.revision} answer={answer} />}</Shown>;
}

export type Save = (change: Partial<NotifySettings>) => Promise<void>;

function Loaded({ answer }: { answer: NotifySettingsAnswer }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const client = useQueryClient();
  const { revision, settings, onDuty } = answer;
  const save: Save = async (change) => {
    try {
      await call(PATH, { method: 'PUT', body: { revision, settings: { ...settings, ...change } } });
      void message.success(t('notify.saved'));
    } catch (error) {
      void message.error(faultText(error));
    }
    await client.invalidateQueries({ queryKey: ['notify'] });
  };
  const names = onDuty.join(', ');
  return (
    <>
      <p className="dim">{onDuty.length === 0 ? t('notify.onDutyNobody') : t('notify.onDuty', { names })}</p>
      <Channels answer={answer} />
      <People answer={answer} save={save} />
      <Shifts settings={settings} save={save} />
      <Rest settings={settings} save={save} />
    </>
  );
}

function Channels({ answer: { channels } }: { answer: NotifySettingsAnswer }) {
  const { t } = useTranslation();
  return (
    <Panel title={t('notify.channels')} beside={<span className="dim small">{t('notify.channelsHint')}</span>}>
      {channels.length === 0 && <Nothing text={t('notify.noChannels')} />}
      <ul className="lines">
        {channels.map((c) => (
          <li key={c.id}>
            <b>{c.id}</b> <span className="tag">{c.kind}</span> <span className="dim mono">{c.host}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function People({ answer: { settings, channels }, save }: { answer: NotifySettingsAnswer; save: Save }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const [edited, edit] = useState<NotifyPerson | 'new' | null>(null);
  const { people, shifts, fallback } = settings;
  const test = (person: string, channel: string) =>
    call('/api/v1/notify/test', { method: 'POST', body: { person, channel } })
      .then(() => message.success(t('notify.tested', { channel })))
      .catch((error: unknown) => message.error(faultText(error)));
  /** Whoever goes stands in no shift any more; a shift of nobody goes too. */
  const remove = ({ id }: NotifyPerson) =>
    save({
      people: people.filter((p) => p.id !== id),
      shifts: shifts.map((s) => ({ ...s, people: s.people.filter((p) => p !== id) })).filter((s) => s.people.length > 0),
      fallback: fallback.filter((p) => p !== id),
    });
  return (
    <Panel
      title={t('notify.people')}
      beside={
        <Button type="primary" disabled={channels.length === 0} onClick={() => edit('new')}>
          {t('notify.addPerson')}
        </Button>
      }
    >
      {people.length === 0 && <Nothing text={t('notify.noPeople')} />}
      <ul className="lines">
        {people.map((person) => (
          <li key={person.id}>
            <b>{person.name}</b> <span className="mono">{person.id}</span>
            {person.quiet?.map((w) => (
              <span key={windowText(w)} className="tag">
                {t('notify.quiet')} {windowText(w)}
              </span>
            ))}
            {person.to.map(({ channel, address }) => (
              <span key={channel}>
                {channel} <span className="dim">{address}</span>{' '}
                <Button size="small" onClick={() => void test(person.id, channel)}>
                  {t('notify.test')}
                </Button>
              </span>
            ))}
            <Button size="small" onClick={() => edit(person)}>
              {t('action.edit')}
            </Button>
            <Button size="small" danger onClick={() => void remove(person)}>
              {t('notify.remove')}
            </Button>
          </li>
        ))}
      </ul>
      {edited !== null && (
        <EditPerson
          known={edited === 'new' ? null : edited}
          channels={channels}
          onClose={() => edit(null)}
          onSave={(person) => save({ people: withOne(people, person) })}
        />
      )}
    </Panel>
  );
}

function Shifts({ settings: { shifts, people, calendars }, save }: { settings: NotifySettings; save: Save }) {
  const { t } = useTranslation();
  const [edited, edit] = useState<DutyShift | 'new' | null>(null);
  const all = { ...calendars, [HOLIDAYS]: calendars[HOLIDAYS] ?? [] };
  const names = { day: (d: number) => t(`notify.day.d${d as 1}`), everyDay: t('notify.everyDay') };
  return (
    <Panel
      title={t('notify.shifts')}
      beside={
        <Button type="primary" disabled={people.length === 0} onClick={() => edit('new')}>
          {t('notify.addShift')}
        </Button>
      }
    >
      {shifts.length === 0 && <Nothing text={t('notify.noShifts')} />}
      <ul className="lines">
        {shifts.map((shift) => (
          <li key={shift.id}>
            <b>{shift.id}</b>
            {shift.when.map((w) => (
              <span key={windowText(w, names)} className="tag">
                {windowText(w, names)}
                {w.calendar !== undefined && ` · ${t('zones.onlyOn', { name: w.calendar })}`}
                {w.exceptCalendar !== undefined && ` · ${t('zones.notOn', { name: w.exceptCalendar })}`}
              </span>
            ))}
            <span>{shift.people.join(' → ')}</span>
            <span className="dim">
              {(shift.topics ?? []).length === 0
                ? t('notify.allTopics')
                : shift.topics?.map((x) => t(`notify.topic.${x}`)).join(', ')}
            </span>
            <Button size="small" onClick={() => edit(shift)}>
              {t('action.edit')}
            </Button>
            <Button size="small" danger onClick={() => void save({ shifts: shifts.filter((s) => s.id !== shift.id) })}>
              {t('notify.remove')}
            </Button>
          </li>
        ))}
      </ul>
      {edited !== null && (
        <EditShift
          known={edited === 'new' ? null : edited}
          people={people}
          calendars={Object.keys(all).sort()}
          onClose={() => edit(null)}
          onSave={(shift) => save({ shifts: withOne(shifts, shift), calendars: all })}
        />
      )}
    </Panel>
  );
}

/** The one of its id is replaced where it stands; a new one comes last. */
function withOne<T extends { id: string }>(things: readonly T[], one: T): T[] {
  const at = things.findIndex(({ id }) => id === one.id);
  return at === -1 ? [...things, one] : things.with(at, one);
}

interface RestForm {
  escalateMinutes: number;
  timeZone: string;
  fallback: string[];
  holidays: string;
}

function Rest({ settings, save }: { settings: NotifySettings; save: Save }) {
  const { t } = useTranslation();
  const { escalateMinutes, timeZone, fallback, calendars, people } = settings;
  const initial: RestForm = { escalateMinutes, timeZone, fallback, holidays: (calendars[HOLIDAYS] ?? []).join('\n') };
  const finish = ({ holidays, ...rest }: RestForm) =>
    save({ ...rest, calendars: { ...calendars, [HOLIDAYS]: holidays.split(/\s+/).filter((day) => day !== '') } });
  return (
    <Panel title={t('notify.settings')}>
      <Form name="duty" layout="vertical" requiredMark={false} initialValues={initial} onFinish={finish}>
        <div className="grid2">
          <Form.Item name="escalateMinutes" label={t('notify.escalate')}>
            <InputNumber min={1} max={1440} />
          </Form.Item>
          <Form.Item name="timeZone" label={t('notify.timeZone')}>
            <Input maxLength={64} />
          </Form.Item>
          <Form.Item name="fallback" label={t('notify.fallback')}>
            <Select mode="multiple" options={people.map((p) => ({ value: p.id, label: p.name }))} />
          </Form.Item>
          <Form.Item name="holidays" label={t('notify.holidays')}>
            <Input.TextArea rows={3} />
          </Form.Item>
        </div>
        <Button type="primary" htmlType="submit">
          {t('action.save')}
        </Button>
      </Form>
    </Panel>
  );
}
