import { Checkbox } from 'antd';
import { useTranslation } from 'react-i18next';
import { useFilter } from '../../parts/mod.ts';

/** What is drawn over a live picture. */
export interface Overlays {
  boxes: boolean;
  zones: boolean;
}

const OFF = 'off';

/** In the URL like a filter: on unless somebody has switched it off. */
export function useOverlays(): Overlays {
  const [boxes] = useFilter('boxes');
  const [zones] = useFilter('zones');
  return { boxes: boxes !== OFF, zones: zones !== OFF };
}

export function OverlaySwitches() {
  const { t } = useTranslation();
  return (
    <span className="switches">
      <Switch name="boxes" label={t('cameras.boxes')} />
      <Switch name="zones" label={t('cameras.zones')} />
    </span>
  );
}

function Switch({ name, label }: { name: keyof Overlays; label: string }) {
  const [value, set] = useFilter(name);
  return (
    <Checkbox checked={value !== OFF} onChange={(e) => set(e.target.checked ? undefined : OFF)}>
      {label}
    </Checkbox>
  );
}
