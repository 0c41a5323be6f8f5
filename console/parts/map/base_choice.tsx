import { Select } from 'antd';
import type { Map as MapView } from 'maplibre-gl';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import type { BaseMap, BaseMapsAnswer } from '#grid/api/mod.ts';
import { useThing } from '../../api/mod.ts';
import { useScheme } from '../../app/theme.tsx';
import { BASE, Credit, layBase } from './base.ts';

const STORED = 'gewu.map';
const NONE = 'none';

const listeners = new Set<() => void>();
function choose(id: string): void {
  localStorage.setItem(STORED, id);
  for (const tell of listeners) tell();
}
function subscribe(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

/** The base maps of the configuration, and which of them is shown in this browser: the first one until somebody chooses. */
function useBaseMaps(): { maps: readonly BaseMap[]; base: BaseMap | null } {
  const stored = useSyncExternalStore(subscribe, () => localStorage.getItem(STORED));
  const maps = useThing<BaseMapsAnswer>(['map'], '/api/v1/map').data?.items ?? [];
  return { maps, base: stored === NONE ? null : (maps.find((m) => m.id === stored) ?? maps[0] ?? null) };
}

/** Keeps the chosen base map under what a map draws. `map` once it is loaded. */
export function useBase(map: MapView | null): { base: BaseMap | null; failed: boolean } {
  const { scheme } = useScheme();
  const { base } = useBaseMaps();
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    if (map === null) return;
    let wanted = true;
    const credit = new Credit();
    map.addControl(credit, 'bottom-left');
    const follow = map.on('sourcedata', (e) => e.sourceId === BASE && e.tile && setFailed(false));
    const notice = map.on('error', ({ error, sourceId }: { error: unknown; sourceId?: string }) => {
      if (sourceId === BASE) setFailed(true);
      else console.error(error);
    });
    credit.say(base?.attribution ?? '');
    setFailed(false);
    layBase(map, base, scheme, () => wanted).catch(() => wanted && setFailed(true));
    map.once('remove', () => {
      wanted = false;
    });
    return () => {
      follow.unsubscribe();
      notice.unsubscribe();
      if (wanted) map.removeControl(credit);
      wanted = false;
    };
  }, [map, base, scheme]);
  return { base, failed };
}

/** Which of the base maps; nothing where none is configured. */
export function BaseChoice({ failed }: { failed: boolean }) {
  const { t } = useTranslation();
  const { maps, base } = useBaseMaps();
  if (maps.length === 0) return null;
  const options = [{ value: NONE, label: t('map.none') }, ...maps.map(({ id, name }) => ({ value: id, label: name }))];
  return (
    <div className="map-base">
      <Select
        size="small"
        aria-label={t('map.base')}
        value={base?.id ?? NONE}
        onChange={choose}
        options={options}
        popupMatchSelectWidth={false}
      />
      {failed && <span role="status">{t('map.failed')}</span>}
    </div>
  );
}
