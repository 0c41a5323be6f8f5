import { useTranslation } from 'react-i18next';
import type { Shade } from '../../parts/map/shades.ts';
import { type Layer, SHADES_OF } from './shades.ts';

/** What the colours of the map mean, and how many unit grids have each. */
export function Legend({ layer, shades }: { layer: Layer; shades: ReadonlyMap<string, Shade> }) {
  const { t } = useTranslation();
  const counts = new Map<Shade, number>();
  for (const shade of shades.values()) counts.set(shade, (counts.get(shade) ?? 0) + 1);
  return (
    <ul className="legend">
      {SHADES_OF[layer].map((shade) => (
        <li key={shade}>
          <i className={`swatch shade-${shade}`} aria-hidden="true" />
          {t(`situation.shade.${shade}` as never)} <span className="dim">{counts.get(shade) ?? 0}</span>
        </li>
      ))}
    </ul>
  );
}
