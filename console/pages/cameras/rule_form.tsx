import { DeleteOutlined } from '@ant-design/icons';
import { Button, Form, Input, InputNumber, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { useCatalogue } from '../../api/mod.ts';
import { pick } from '../../parts/mod.ts';
import { asKind, kindOf, type Point, RULE_KINDS, type Rule } from './draft.ts';
import { Field } from './mistakes.tsx';
import { useDetects } from './names.ts';
import { Windows } from './windows.tsx';

const SEVERITIES = ['critical', 'high', 'normal', 'low'] as const;
const WAYS = ['any', 'to-the-right', 'to-the-left'] as const;

/** One rule of a zone. `at` is its key in the mistakes of the API. */
export function RuleForm({
  rule,
  at,
  polygon,
  classes,
  calendars,
  onRule,
  onRemove,
}: {
  rule: Rule;
  at: string;
  polygon: readonly Point[];
  /** Of the model in use; null where the edge has not said. */
  classes: readonly string[] | null;
  /** Of the site, by name. */
  calendars: readonly string[];
  onRule: (rule: Rule) => void;
  onRemove: (() => void) | null;
}) {
  const { t } = useTranslation();
  const detects = useDetects();
  const set = (part: Partial<Rule>) => onRule({ ...rule, ...part });
  const number = (part: 'dwellS' | 'clearS' | 'confidenceMin' | 'stationaryM', step: number) => (
    <Field at={`${at}.${part}`} label={t(`zones.${part}`)}>
      {(id) => <InputNumber id={id} value={rule[part]} step={step} onChange={(v) => set({ [part]: v ?? 0 })} />}
    </Field>
  );
  const kind = kindOf(rule);
  return (
    <fieldset className="rule">
      <legend>
        {rule.id}
        {onRemove && (
          <Button
            size="small"
            type="text"
            icon={<DeleteOutlined />}
            aria-label={t('zones.removeRule', { id: rule.id })}
            onClick={onRemove}
          />
        )}
      </legend>
      <Form layout="vertical" component="div" className="rule-fields">
        <Field at={`${at}.id`} label={t('field.id')}>
          {(id) => <Input id={id} value={rule.id} maxLength={64} onChange={(e) => set({ id: e.target.value })} />}
        </Field>
        <Field at={`${at}.detects`} label={t('zones.detects')}>
          {(id) =>
            classes === null ? (
              <Input id={id} value={rule.detects} maxLength={64} onChange={(e) => set({ detects: e.target.value })} />
            ) : (
              <Select
                id={id}
                value={rule.detects}
                onChange={(v) => set({ detects: v })}
                options={classes.filter((c) => c !== 'person').map((value) => ({ value, label: detects(value) }))}
              />
            )
          }
        </Field>
        <RaisesField rule={rule} at={at} onRule={onRule} />
        <Field at={`${at}.severity`} label={t('field.severity')}>
          {(id) => (
            <Select
              id={id}
              value={rule.severity}
              onChange={(severity) => set({ severity })}
              options={SEVERITIES.map((value) => ({ value, label: t(`severity.${value}`) }))}
            />
          )}
        </Field>
        <Field at={`${at}.kind`} label={t('zones.kind')}>
          {(id) => (
            <Select
              id={id}
              value={kind}
              onChange={(v) => onRule(asKind(rule, v, polygon))}
              options={RULE_KINDS.map((value) => ({ value, label: t(`zones.kinds.${value}`) }))}
            />
          )}
        </Field>
        {kind === 'crosses' && rule.crosses && (
          <Field at={`${at}.crosses`} label={t('zones.way')}>
            {(id) => (
              <Select
                id={id}
                value={rule.crosses?.way ?? 'any'}
                onChange={(way) => rule.crosses && set({ crosses: { ...rule.crosses, way } })}
                options={WAYS.map((value) => ({ value, label: t(`zones.ways.${value}`) }))}
              />
            )}
          </Field>
        )}
        {kind === 'count' && (
          <Field at={`${at}.count`} label={t('zones.above')}>
            {(id) => <InputNumber id={id} value={rule.count?.above ?? 1} onChange={(v) => set({ count: { above: v ?? 1 } })} />}
          </Field>
        )}
        {number('dwellS', 5)}
        {number('clearS', 5)}
        {number('confidenceMin', 0.05)}
        {number('stationaryM', 0.1)}
        <AreaField rule={rule} at={at} onRule={onRule} />
        <PicturesFields rule={rule} at={at} onRule={onRule} />
      </Form>
      <Windows name="schedule" rule={rule} at={at} calendars={calendars} onRule={onRule} />
      <Windows name="permitted" rule={rule} at={at} calendars={calendars} onRule={onRule} />
    </fieldset>
  );
}

export interface PartProps {
  rule: Rule;
  at: string;
  onRule: (rule: Rule) => void;
}

/** What it raises: an event of the city, or a fault of a component. */
function RaisesField({ rule, at, onRule }: PartProps) {
  const { t } = useTranslation();
  const catalogue = useCatalogue();
  const { raises } = rule;
  const value = 'event' in raises ? `event:${raises.event}` : `fault:${raises.fault}`;
  const options = [
    {
      label: t('zones.event'),
      options: (catalogue?.events ?? []).map((e) => ({ value: `event:${e.code}`, label: `${e.code} ${pick(e)}` })),
    },
    { label: t('zones.fault'), options: (catalogue?.faults ?? []).map((f) => ({ value: `fault:${f.key}`, label: pick(f) })) },
  ];
  const change = (chosen: string) => {
    const [of, name = ''] = chosen.split(':');
    onRule({ ...rule, raises: of === 'event' ? { event: name } : { fault: name } });
  };
  return (
    <Field at={`${at}.raises`} label={t('zones.raises')}>
      {(id) => <Select id={id} showSearch={{ optionFilterProp: 'label' }} value={value} options={options} onChange={change} />}
    </Field>
  );
}

/** Per cent for people, a share on the wire; empty: none. */
function AreaField({ rule, at, onRule }: PartProps) {
  const { t } = useTranslation();
  const { areaMin, ...rest } = rule;
  return (
    <Field at={`${at}.areaMin`} label={t('zones.areaMin')}>
      {(id) => (
        <InputNumber
          id={id}
          step={0.1}
          value={areaMin === undefined ? null : Number((areaMin * 100).toFixed(4))}
          onChange={(v) => onRule(v === null ? rest : { ...rest, areaMin: v / 100 })}
        />
      )}
    </Field>
  );
}

/** Seen in n of the last m pictures; empty: in the newest one. */
function PicturesFields({ rule, at, onRule }: PartProps) {
  const { t } = useTranslation();
  const { pictures, ...rest } = rule;
  const set = (part: 'seen' | 'of', v: number | null) =>
    onRule(v === null ? rest : { ...rest, pictures: { seen: v, of: v, ...pictures, [part]: v } });
  return (
    <>
      <Field at={`${at}.pictures`} label={t('zones.seen')}>
        {(id) => <InputNumber id={id} value={pictures?.seen ?? null} onChange={(v) => set('seen', v)} />}
      </Field>
      <Field at={`${at}.pictures.of`} label={t('zones.of')}>
        {(id) => <InputNumber id={id} value={pictures?.of ?? null} onChange={(v) => set('of', v)} />}
      </Field>
    </>
  );
}
