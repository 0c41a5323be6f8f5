import { useTranslation } from 'react-i18next';
import type { ColourBy } from '../../parts/map/city_map.tsx';

/** What the colours of the map mean. */
export function Legend({ by }: { by: ColourBy }) {
  const { t } = useTranslation();
  const entries =
    by === 'cases'
      ? ([
          ['critical', t('severity.critical')],
          ['high', t('severity.high')],
          ['normal', t('severity.normal')],
          ['low', t('severity.low')],
        ] as const)
      : ([
          ['offline', t('situation.legendOffline')],
          ['degraded', t('situation.legendDegraded')],
          ['online', t('situation.legendOnline')],
          ['unknown', t('situation.legendUnknown')],
        ] as const);
  return (
    <ul className="legend">
      {entries.map(([key, text]) => (
        <li key={key}>
          <i className={`swatch ${key}`} aria-hidden="true" />
          {text}
        </li>
      ))}
    </ul>
  );
}
