import { Slider } from 'antd';
import { useTranslation } from 'react-i18next';
import type { CoverageAnswer } from '#grid/api/mod.ts';

const HOURS = 24;

/** One hour of the last day, or all of it. */
export function Hours({
  of: { from, hourMs },
  hour,
  choose,
}: {
  of: CoverageAnswer;
  hour: number | null;
  choose: (hour: number | null) => void;
}) {
  const { t, i18n } = useTranslation();
  const time = (n: number) =>
    new Date(from + n * hourMs).toLocaleTimeString(i18n.language, { hour: '2-digit', minute: '2-digit' });
  const name = (n: number) => (n === HOURS ? t('situation.lastDay') : `${time(n)} – ${time(n + 1)}`);
  return (
    <div className="watch-hours">
      <b>{name(hour ?? HOURS)}</b>
      <Slider
        min={0}
        max={HOURS}
        value={hour ?? HOURS}
        onChange={(n) => choose(n === HOURS ? null : n)}
        tooltip={{ formatter: null }}
        ariaLabelForHandle={t('situation.hour')}
        ariaValueTextFormatterForHandle={name}
      />
    </div>
  );
}
