import { CloseOutlined } from '@ant-design/icons';
import { Button, Segmented } from 'antd';
import { lazy, Suspense, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import type { CoverageAnswer, PipelineAnswer, SituationAnswer } from '#grid/api/mod.ts';
import { useThing } from '../../api/mod.ts';
import type { Shade } from '../../parts/map/shades.ts';
import type { Cells } from '../../parts/map/style.ts';
import { Nothing, Page, Shown, useFilter, Waiting } from '../../parts/mod.ts';
import { Hours } from './hours.tsx';
import { Latest } from './latest.tsx';
import { Legend } from './legend.tsx';
import { LAYERS, type Layer, shadesNow, shadesWatched, shareOf } from './shades.ts';
import { Tiles } from './tiles.tsx';
import { Urgent } from './urgent.tsx';

/** Asked for with this page: it is most of what is loaded, and is not to wait for the answers that it draws. */
const cityMap = import('../../parts/map/city_map.tsx');
const CityMap = lazy(() => cityMap);
/** The stream says when something changes; this is for what it does not say. */
const RENEW_MS = 10_000;
const COVERAGE_MS = 60_000;
const NO_SHADES: ReadonlyMap<string, Shade> = new Map();

/** What the city is like now: figures, map, and the open cases by urgency. */
export function Situation() {
  const { t } = useTranslation();
  const situation = useThing<SituationAnswer>(['situation'], '/api/v1/situation', RENEW_MS);
  const pipeline = useThing<PipelineAnswer>(['pipeline'], '/api/v1/pipeline', RENEW_MS);
  const cells = useThing<Cells>(['cells'], '/api/v1/cells');
  const [by, setBy] = useFilter('by');
  const layer = LAYERS.find((name) => name === by) ?? 'cases';
  const [hourText, setHour] = useFilter('hour');
  const hour = hourText === undefined ? null : Number(hourText);
  const watched = layer === 'coverage';
  const coverage = useThing<CoverageAnswer>(['coverage'], watched ? '/api/v1/coverage' : null, COVERAGE_MS);
  const shades = useShades(layer, situation.data, coverage.data, hour);
  const [chosen, setChosen] = useState<string | null>(null);
  const navigate = useNavigate();
  return (
    <Page
      fill
      title={t('situation.title')}
      beside={
        <>
          <span className="dim small">{t('situation.colourBy')}</span>
          <Segmented
            aria-label={t('situation.colourBy')}
            value={layer}
            onChange={(v) => setBy(v === 'cases' ? undefined : v)}
            options={LAYERS.map((value) => ({ value, label: t(`situation.by.${value}`) }))}
          />
        </>
      }
    >
      <Tiles
        situation={situation.data}
        pipeline={pipeline.data}
        at={situation.dataUpdatedAt}
        pipelineAt={pipeline.dataUpdatedAt}
      />
      <div className="situation">
        <div className="map-box">
          <Shown of={cells}>
            {(city) =>
              city.features.length === 0 ? (
                <Nothing text={t('situation.noCells')} />
              ) : (
                situation.data && (
                  <Suspense fallback={<Waiting />}>
                    <CityMap
                      cells={city}
                      shades={shades}
                      cases={situation.data.urgent}
                      chosen={chosen}
                      onCell={setChosen}
                      onCase={(id) => void navigate(`/cases/${id}`)}
                    />
                    <Legend layer={layer} shades={shades} />
                    {watched && coverage.data && (
                      <Hours of={coverage.data} hour={hour} choose={(n) => setHour(n === null ? undefined : String(n))} />
                    )}
                    {chosen && (
                      <ChosenCell
                        code={chosen}
                        situation={situation.data}
                        watch={watched ? coverage.data : undefined}
                        hour={hour}
                        onClose={() => setChosen(null)}
                      />
                    )}
                  </Suspense>
                )
              )
            }
          </Shown>
        </div>
        <aside className="beside-map">
          <Latest />
          <section className="urgent" aria-label={t('situation.urgent')}>
            <h2>{t('situation.urgent')}</h2>
            <Shown of={situation}>{(data) => <Urgent storms={data.storms} cases={data.urgent} />}</Shown>
          </section>
        </aside>
      </div>
    </Page>
  );
}

function useShades(
  layer: Layer,
  situation: SituationAnswer | undefined,
  coverage: CoverageAnswer | undefined,
  hour: number | null,
): ReadonlyMap<string, Shade> {
  return useMemo(() => {
    if (layer === 'coverage') return coverage === undefined ? NO_SHADES : shadesWatched(coverage, hour);
    return situation === undefined ? NO_SHADES : shadesNow(situation, layer);
  }, [layer, situation, coverage, hour]);
}

function ChosenCell({
  code,
  situation,
  watch,
  hour,
  onClose,
}: {
  code: string;
  situation: SituationAnswer;
  /** Where that is what is shown. */
  watch: CoverageAnswer | undefined;
  hour: number | null;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const cell = situation.cells.find((c) => c.code === code);
  const sum = (counts: Record<string, number> = {}) => Object.values(counts).reduce((a, b) => a + b, 0);
  const { offline = 0, degraded = 0 } = cell?.devices ?? {};
  const seen = watch?.cells.find((c) => c.code === code);
  return (
    <div className="cell-card" role="status">
      <Button type="text" size="small" icon={<CloseOutlined />} aria-label={t('action.close')} onClick={onClose} />
      <b>
        {t('field.cell')} <span className="mono">{code}</span>
      </b>
      <span>{t('situation.cellCases', { n: sum(cell?.openCases) })}</span>
      <span>{t('situation.cellDevices', { n: sum(cell?.devices), offline, degraded })}</span>
      {seen && (
        <>
          <span>{t('situation.cellCameras', { n: seen.cameras, share: Math.round(shareOf(seen.camera, hour)) })}</span>
          <span>{t('situation.cellSensors', { n: seen.sensors, share: Math.round(shareOf(seen.sensor, hour)) })}</span>
        </>
      )}
      <span className="bar">
        <Link to={`/cases?cell=${code}`}>{t('situation.showCases')}</Link>
        <Link to={`/devices?cell=${code}`}>{t('situation.showDevices')}</Link>
      </span>
    </div>
  );
}
