import { useTranslation } from 'react-i18next';
import type { DesiredDiffAnswer } from '#grid/api/mod.ts';
import { useThing, withQuery } from '../api/mod.ts';
import { Shown } from './page.tsx';
import { ScrollX } from './scroll_x.tsx';

/** Of a value in a difference. */
const VALUE_CHARS = 200;

/** What changed of what is wanted of an edge, from one revision to another; `below` a key, or all of it. */
export function Difference({ edge, from, to, below }: { edge: string; from: number; to: number; below?: string }) {
  const { t } = useTranslation();
  const asked = useThing<DesiredDiffAnswer>(
    ['desired', edge, 'diff', from, to],
    withQuery(`/api/v1/edges/${edge}/desired/diff`, { from, to }),
  );
  const isShown = ({ key }: { key: string }) => below === undefined || key === below || key.startsWith(`${below}.`);
  return (
    <div className="difference">
      <Shown of={asked} rows={2}>
        {({ entries }) => (
          <ScrollX label={t('desired.changed')}>
            <table className="plain">
              <thead>
                <tr>
                  <th scope="col">{t('desired.part')}</th>
                  <th scope="col">{t('desired.before')}</th>
                  <th scope="col">{t('desired.after')}</th>
                </tr>
              </thead>
              <tbody>
                {entries.filter(isShown).map((entry) => (
                  <tr key={entry.key}>
                    <th scope="row" className="mono">
                      {entry.key}
                    </th>
                    <td className="mono">{valueText(entry.from)}</td>
                    <td className="mono">{valueText(entry.to)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </ScrollX>
        )}
      </Shown>
    </div>
  );
}

function valueText(value: unknown): string {
  if (value === undefined) return '–';
  const text = JSON.stringify(value);
  return text.length > VALUE_CHARS ? `${text.slice(0, VALUE_CHARS)}…` : text;
}
