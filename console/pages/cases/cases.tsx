import { Segmented } from 'antd';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Case, CaseState } from '#grid/mod.ts';
import { usePages } from '../../api/mod.ts';
import { zh } from '../../i18n/mod.ts';
import {
  Ago,
  ClearFilters,
  type Column,
  Page,
  Rows,
  SelectFilter,
  SeverityTag,
  useClassName,
  useFilter,
} from '../../parts/mod.ts';
import { CaseStateTag } from './case_state.tsx';

const STATES = Object.keys(zh.caseState) as CaseState[];
const SEVERITIES = ['critical', 'high', 'normal', 'low'] as const;

/** Cases, newest first. What is looked for stands in the URL. */
export function Cases() {
  const { t } = useTranslation();
  const className = useClassName();
  const [which = 'open', setWhich] = useFilter('which');
  const [state] = useFilter('state');
  const [severity] = useFilter('severity');
  const [source] = useFilter('source');
  const [cell] = useFilter('cell');
  const [ofClass] = useFilter('class');
  const open = state !== undefined || which === 'all' ? undefined : which === 'open';
  const pages = usePages<Case>('cases', '/api/v1/cases', { open, state, severity, source, cell, class: ofClass });
  const columns = useMemo<Column<Case>[]>(
    () => [
      { key: 'class', label: t('field.class'), width: 'minmax(150px, 1.6fr)', draw: (c) => <b>{className(c.class)}</b> },
      { key: 'severity', label: t('field.severity'), width: '104px', draw: (c) => <SeverityTag severity={c.severity} /> },
      { key: 'state', label: t('field.state'), width: '130px', draw: (c) => <CaseStateTag state={c.state} /> },
      { key: 'opened', label: t('field.opened'), width: '100px', draw: (c) => <Ago at={c.openedAt} /> },
      {
        key: 'number',
        label: t('field.number'),
        width: '170px',
        wide: true,
        draw: (c) => c.number ?? <span className="dim">{t('cases.noNumber')}</span>,
      },
      { key: 'cell', label: t('field.cell'), width: '140px', wide: true, draw: (c) => c.place.cell },
      { key: 'source', label: t('field.source'), width: '90px', wide: true, draw: (c) => t(`source.${c.source}`) },
      { key: 'observations', label: t('field.observations'), width: '90px', wide: true, draw: (c) => c.observations },
    ],
    [className, t],
  );
  return (
    <Page
      fill
      title={t('cases.title')}
      beside={
        <>
          <Segmented
            aria-label={t('field.state')}
            value={which}
            onChange={(v) => setWhich(v === 'open' ? undefined : v)}
            options={[
              { value: 'open', label: t('cases.open') },
              { value: 'finished', label: t('cases.finished') },
              { value: 'all', label: t('filter.any') },
            ]}
          />
          <SelectFilter
            name="severity"
            label={t('filter.severity')}
            options={SEVERITIES.map((value) => ({ value, label: t(`severity.${value}`) }))}
          />
          <SelectFilter
            name="state"
            label={t('filter.state')}
            options={STATES.map((value) => ({ value, label: t(`caseState.${value}`) }))}
          />
          <SelectFilter
            name="source"
            label={t('filter.source')}
            options={(['sensor', 'camera', 'supervisor', 'hotline', 'public'] as const).map((value) => ({
              value,
              label: t(`source.${value}`),
            }))}
          />
          <ClearFilters />
        </>
      }
    >
      <Rows label={t('cases.title')} pages={pages} columns={columns} to={(c) => `/cases/${c.id}`} empty={t('cases.empty')} />
    </Page>
  );
}
