import { DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import { Button, ConfigProvider, Input } from 'antd';
import { useTranslation } from 'react-i18next';
import type { DesiredCameraAnswer } from '#grid/api/mod.ts';
import { Nothing, Panel } from '../../parts/mod.ts';
import { type Draft, firstClass, newRule, type Point, type ShapeKey, splitKey, withoutShape, type Zone } from './draft.ts';
import { Field } from './mistakes.tsx';
import { RuleForm } from './rule_form.tsx';

/** All of them by name: what is chosen here has its corners shown. */
export function ShapeList({
  draft,
  chosen,
  onChoose,
  onDraft,
}: {
  draft: Draft;
  chosen: string | undefined;
  onChoose: (key: string | undefined) => void;
  onDraft: ((draft: Draft) => void) | null;
}) {
  const { t } = useTranslation();
  const entries = [
    ...draft.zones.map((zone, i) => [`zones.${i}`, zone.id] as [ShapeKey, string]),
    ...draft.exclude.map((_, i) => [`exclude.${i}`, t('zones.excludeN', { n: i + 1 })] as [ShapeKey, string]),
  ];
  return (
    <Panel title={t('zones.list')}>
      {entries.length === 0 && <Nothing text={t('zones.none')} />}
      <ul className="lines">
        {entries.map(([key, label]) => (
          <li key={key}>
            <button type="button" className="plain-button" aria-pressed={chosen === key} onClick={() => onChoose(key)}>
              {chosen === key ? '▸ ' : ''}
              {label}
            </button>
            {onDraft && (
              <Button
                size="small"
                type="text"
                icon={<DeleteOutlined />}
                aria-label={t('zones.remove', { id: label })}
                onClick={() => {
                  onChoose(undefined);
                  onDraft(withoutShape(draft, key));
                }}
              />
            )}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/** Name and rules of the zone that is chosen. */
export function ChosenZone({
  draft,
  chosen,
  desired,
  onDraft,
}: {
  draft: Draft;
  chosen: string | undefined;
  desired: DesiredCameraAnswer;
  onDraft: ((draft: Draft) => void) | null;
}) {
  const { t } = useTranslation();
  const [list, index] = chosen === undefined ? (['', -1] as const) : splitKey(chosen as ShapeKey);
  const zone = list === 'zones' ? draft.zones[index] : undefined;
  if (zone === undefined) return null;
  const set = (next: Zone) => onDraft?.({ ...draft, zones: draft.zones.with(index, next) });
  const at = `zones.${index}`;
  const classes = desired.classes;
  return (
    <Panel
      title={zone.id}
      beside={desired.timeZone && <span className="dim small">{t('zones.timeZone', { name: desired.timeZone })}</span>}
    >
      <ConfigProvider componentDisabled={onDraft === null}>
        <Field at={`${at}.id`} label={t('zones.name')}>
          {(id) => <Input id={id} value={zone.id} maxLength={64} onChange={(e) => set({ ...zone, id: e.target.value })} />}
        </Field>
        {zone.rules.map((rule, i) => (
          <RuleForm
            // biome-ignore lint/suspicious/noArrayIndexKey: its id is being edited
            key={i}
            rule={rule}
            at={`${at}.rules.${i}`}
            polygon={zone.polygon as Point[]}
            classes={classes}
            calendars={desired.calendars}
            onRule={(next) => set({ ...zone, rules: zone.rules.with(i, next) })}
            onRemove={zone.rules.length > 1 ? () => set({ ...zone, rules: zone.rules.toSpliced(i, 1) }) : null}
          />
        ))}
        {onDraft && (
          <Button
            icon={<PlusOutlined />}
            onClick={() => set({ ...zone, rules: [...zone.rules, newRule(zone.rules, firstClass(classes))] })}
          >
            {t('zones.addRule')}
          </Button>
        )}
      </ConfigProvider>
    </Panel>
  );
}
