import { PlusOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { DesiredCameraAnswer } from '#grid/api/mod.ts';
import { useMay } from '../../api/mod.ts';
import { LeaveGuard, Panel, useFilter } from '../../parts/mod.ts';
import { type Draft, draftOf, firstClass, type Point, rectangle, type ShapeKey, withPoints, withShape } from './draft.ts';
import { Earlier } from './earlier.tsx';
import { EditorPage } from './editor_page.tsx';
import { useKept } from './kept.ts';
import { LiveView } from './live_view.tsx';
import { Mistakes } from './mistakes.tsx';
import { Push, useChecked } from './push.tsx';
import { RawSwitch, useLooking } from './raw.tsx';
import { type Shape, Shapes } from './shapes.tsx';
import { ChosenZone, ShapeList } from './zone_form.tsx';

const ASPECT = 16 / 9;
const OVERLAYS = { boxes: true, zones: false };
const CORNERS_MIN = 3;

/** Zones and exclusions of a camera, drawn over what it sees, checked as its edge checks them, and sent to it. */
export function ZonesPage() {
  const { t } = useTranslation();
  return <EditorPage title={t('zones.title')}>{(camera, desired) => <Editor camera={camera.id} desired={desired} />}</EditorPage>;
}

function Editor({ camera, desired }: { camera: string; desired: DesiredCameraAnswer }) {
  const { t } = useTranslation();
  const { ops } = useMay();
  const kept = useKept<Draft>(desired);
  const { value: edited, edit } = kept;
  const draft = edited ?? draftOf(desired);
  const [chosen, choose] = useFilter('zone');
  const [drawing, setDrawing] = useState<{ list: 'zones' | 'exclude'; points: Point[] } | null>(null);
  const mistakes = useChecked(desired, edited);
  const finish = (points: Point[]) => {
    if (drawing === null || points.length < CORNERS_MIN) return;
    const [next, key] = withShape(draft, drawing.list, points, firstClass(desired.classes));
    edit(next);
    choose(key);
    setDrawing(null);
  };
  useDrawingKeys(
    drawing !== null,
    () => finish(drawing?.points ?? []),
    () => setDrawing(null),
  );
  return (
    <Mistakes value={mistakes}>
      <LeaveGuard when={edited !== null} />
      <div className="grid2">
        <Panel title={t('cameras.live')} beside={<Picturing camera={camera} />}>
          <Drawn
            camera={camera}
            draft={draft}
            chosen={chosen}
            onChoose={choose}
            onDraft={ops ? edit : null}
            drawing={drawing?.points ?? null}
            onDraw={(points) => drawing && setDrawing({ ...drawing, points })}
          />
          {ops && drawing === null && (
            <div className="bar">
              <Button icon={<PlusOutlined />} onClick={() => setDrawing({ list: 'zones', points: [] })}>
                {t('zones.addZone')}
              </Button>
              <Button icon={<PlusOutlined />} onClick={() => setDrawing({ list: 'exclude', points: [] })}>
                {t('zones.addExclude')}
              </Button>
              <span className="dim small">{t('zones.keys')}</span>
            </div>
          )}
          {drawing !== null && (
            <div className="bar">
              <span role="status">{t('zones.drawing')}</span>
              <Button type="primary" disabled={drawing.points.length < CORNERS_MIN} onClick={() => finish(drawing.points)}>
                {t('zones.finish')} <kbd>Enter</kbd>
              </Button>
              <Button onClick={() => finish(rectangle())}>{t('zones.rectangle')}</Button>
              <Button onClick={() => setDrawing(null)}>
                {t('action.cancel')} <kbd>Esc</kbd>
              </Button>
            </div>
          )}
        </Panel>
        <div className="stack">
          <Panel
            title={t('desired.title')}
            beside={
              ops && (
                <Earlier
                  edge={desired.edge}
                  camera={camera}
                  onTake={(s) => edit(draftOf({ zones: s?.zones ?? null, exclude: (s?.exclude as Point[][]) ?? null }))}
                />
              )
            }
          >
            <Push desired={desired} kept={kept} parts={edited} mistakes={mistakes} />
          </Panel>
          <ShapeList draft={draft} chosen={chosen} onChoose={choose} onDraft={ops ? edit : null} />
          <ChosenZone draft={draft} chosen={chosen} desired={desired} onDraft={ops ? edit : null} />
        </div>
      </div>
    </Mistakes>
  );
}

/** Enter closes what is being drawn, Escape drops it. */
function useDrawingKeys(drawing: boolean, finish: () => void, cancel: () => void): void {
  useEffect(() => {
    if (!drawing) return;
    const onKey = (e: KeyboardEvent) => {
      if ((e.target as HTMLElement).closest('button, input, [role="dialog"]') !== null && e.key !== 'Escape') return;
      if (e.key === 'Enter') finish();
      else if (e.key === 'Escape') cancel();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });
}

function Picturing({ camera }: { camera: string }) {
  return <RawSwitch camera={camera} {...useLooking(camera)} />;
}

function Drawn({
  camera,
  draft,
  chosen,
  onChoose,
  onDraft,
  drawing,
  onDraw,
}: {
  camera: string;
  draft: Draft;
  chosen: string | undefined;
  onChoose: (key: string) => void;
  onDraft: ((draft: Draft) => void) | null;
  drawing: Point[] | null;
  onDraw: (points: Point[]) => void;
}) {
  const { live, grant } = useLooking(camera);
  const [aspect, setAspect] = useState(ASPECT);
  const shapes = shapesOf(draft);
  const keys = new Set(
    shapes.map((s) => s.key).filter((key) => chosen !== undefined && (key === chosen || key.startsWith(`${chosen}.`))),
  );
  const move = (key: string, points: Point[]) =>
    onDraft?.(key.includes('.rules.') ? withLine(draft, key, points) : withPoints(draft, key as ShapeKey, points));
  return (
    <Shapes
      aspect={aspect}
      shapes={shapes}
      chosen={keys}
      onChoose={onChoose}
      onPoints={onDraft === null ? null : move}
      drawing={drawing}
      onDraw={onDraw}
    >
      <LiveView
        key={grant?.id ?? 'masked'}
        camera={camera}
        grant={grant?.id ?? null}
        lastAt={live?.snapshotAt}
        overlays={OVERLAYS}
        onAspect={setAspect}
      />
    </Shapes>
  );
}

/** Zones, exclusions, and the lines that rules watch, each under its key in the mistakes of the API. */
function shapesOf({ zones, exclude }: Draft): Shape[] {
  return [
    ...exclude.map((points, i): Shape => ({ key: `exclude.${i}`, kind: 'exclude', label: `− ${i + 1}`, points })),
    ...zones.flatMap((zone, i): Shape[] => [
      { key: `zones.${i}`, kind: 'zone', label: zone.id, points: zone.polygon as Point[] },
      ...zone.rules.flatMap((rule, j): Shape[] =>
        rule.crosses === undefined
          ? []
          : [{ key: `zones.${i}.rules.${j}.crosses.line`, kind: 'line', label: rule.id, points: rule.crosses.line as Point[] }],
      ),
    ]),
  ];
}

function withLine(draft: Draft, key: string, points: Point[]): Draft {
  const [, zoneIndex, , ruleIndex] = key.split('.').map(Number) as [number, number, number, number];
  const zone = draft.zones[zoneIndex];
  const rule = zone?.rules[ruleIndex];
  if (zone === undefined || rule?.crosses === undefined) return draft;
  const crosses = { ...rule.crosses, line: points as [Point, Point] };
  return { ...draft, zones: draft.zones.with(zoneIndex, { ...zone, rules: zone.rules.with(ruleIndex, { ...rule, crosses }) }) };
}
