import { useTranslation } from 'react-i18next';
import type { PrecisionAnswer } from '#grid/api/mod.ts';
import { useThing } from '../../api/mod.ts';
import { Nothing, Panel, ScrollX, Shown, useClassName } from '../../parts/mod.ts';

const VERDICTS_MIN = 20;

/** `2:0501`, `1:0102:cover_open` as a class. */
function classOf(key: string) {
  const [flag, code = '', fault] = key.split(':');
  return { flag: (flag === '1' ? 1 : 2) as 1 | 2, code, ...(fault === undefined ? {} : { fault }) };
}

/** How often each source, zone and class was right, and from which confidence on it would have been. */
export function Precision() {
  const { t } = useTranslation();
  const className = useClassName();
  const asked = useThing<PrecisionAnswer>(['verdicts', 'precision'], '/api/v1/verdicts/precision');
  return (
    <Panel
      title={t('events.precision')}
      beside={<span className="dim small">{t('events.precisionHint', { n: VERDICTS_MIN })}</span>}
    >
      <Shown of={asked}>
        {({ items }) =>
          items.length === 0 ? (
            <Nothing text={t('events.noVerdicts')} />
          ) : (
            <ScrollX label={t('events.precision')}>
              <table className="plain">
                <thead>
                  <tr>
                    <th>{t('field.source')}</th>
                    <th>{t('field.zone')}</th>
                    <th>{t('field.class')}</th>
                    <th className="number">{t('events.accepted')}</th>
                    <th className="number">{t('events.rejected')}</th>
                    <th className="number">{t('events.rate')}</th>
                    <th className="number">{t('events.suggestion')}</th>
                  </tr>
                </thead>
                <tbody>
                  {items.map((row) => (
                    <tr key={`${row.source} ${row.zone} ${row.class}`}>
                      <td>{row.source}</td>
                      <td>{row.zone}</td>
                      <td>{className(classOf(row.class))}</td>
                      <td className="number">{row.accepted}</td>
                      <td className="number">{row.rejected}</td>
                      <td className="number">
                        <meter min={0} max={1} low={0.7} high={0.9} optimum={1} value={row.precision} aria-hidden="true" />{' '}
                        {Math.round(row.precision * 100)} %
                      </td>
                      <td className="number">{row.threshold === null ? '–' : row.threshold.toFixed(2)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </ScrollX>
          )
        }
      </Shown>
    </Panel>
  );
}
