import { type KeyboardEvent, type PointerEvent, type ReactNode, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Point, rounded, stepOf, withCorner } from './draft.ts';

export interface Shape {
  key: string;
  label: string;
  kind: 'zone' | 'exclude' | 'line';
  points: Point[];
}

const CORNERS_MIN = 3;
const CORNERS_MAX = 64;

/**
 * Shapes over a picture. The corners of the chosen ones are buttons: dragged, or moved by arrow keys (with Shift in large steps),
 * Delete takes one out. A small cross on each side adds one.
 */
export function Shapes({
  shapes,
  chosen,
  onChoose,
  onPoints,
  drawing,
  onDraw,
  children,
  aspect,
}: {
  shapes: readonly Shape[];
  /** Keys of those with handles. */
  chosen: ReadonlySet<string>;
  onChoose: (key: string) => void;
  /** None: to be looked at only. */
  onPoints: ((key: string, points: Point[]) => void) | null;
  /** Corners of the one that is being drawn. */
  drawing: readonly Point[] | null;
  onDraw: (points: Point[]) => void;
  /** The picture, which fills its parent. */
  children: ReactNode;
  aspect: number;
}) {
  const { t } = useTranslation();
  const box = useRef<HTMLDivElement>(null);
  const at = (e: { clientX: number; clientY: number }): Point => {
    const { left, top, width, height } = (box.current as HTMLDivElement).getBoundingClientRect();
    return rounded([(e.clientX - left) / width, (e.clientY - top) / height]);
  };
  return (
    <div ref={box} className="camera-picture large shapes" style={{ aspectRatio: aspect }}>
      {children}
      <svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
        {shapes.map(({ key, kind, points }) =>
          kind === 'line' ? (
            <polyline key={key} points={points.join(' ')} className="shape line" />
          ) : (
            // biome-ignore lint/a11y/noStaticElementInteractions: the list beside the picture chooses by keyboard
            <polygon
              key={key}
              points={points.join(' ')}
              className={`shape ${kind} ${chosen.has(key) ? 'chosen' : ''}`}
              onClick={() => onChoose(key)}
            />
          ),
        )}
        {drawing && <polyline points={drawing.join(' ')} className="shape zone chosen" />}
      </svg>
      {shapes.map(({ key, label, kind, points: [first] }) =>
        kind === 'line' || first === undefined ? null : (
          <span key={key} className={`shape-label ${kind}`} style={placed(first)}>
            {label}
          </span>
        ),
      )}
      {onPoints !== null &&
        drawing === null &&
        shapes
          .filter(({ key }) => chosen.has(key))
          .map((shape) => <Handles key={shape.key} shape={shape} at={at} onPoints={(points) => onPoints(shape.key, points)} />)}
      {drawing && (
        <>
          {/* biome-ignore lint/a11y/useKeyWithClickEvents: by keyboard one begins with a rectangle */}
          {/* biome-ignore lint/a11y/noStaticElementInteractions: it catches clicks into the picture */}
          <div className="draw" title={t('zones.drawing')} onClick={(e) => onDraw([...drawing, at(e)])} />
          {drawing.map((point) => (
            <i key={point.join()} className="corner" style={placed(point)} />
          ))}
        </>
      )}
    </div>
  );
}

function Handles({
  shape: { points, kind, label },
  at,
  onPoints,
}: {
  shape: Shape;
  at: (e: PointerEvent) => Point;
  onPoints: (points: Point[]) => void;
}) {
  const { t } = useTranslation();
  const [dragged, setDragged] = useState<number | null>(null);
  const polygon = kind !== 'line';
  const remove = (i: number) => {
    if (polygon && points.length > CORNERS_MIN) onPoints(points.toSpliced(i, 1));
  };
  const onKey = (e: KeyboardEvent, i: number) => {
    const step = stepOf(e);
    if (e.key === 'Delete' || e.key === 'Backspace') remove(i);
    else if (step === null) return;
    else {
      const [x, y] = points[i] as Point;
      onPoints(points.with(i, rounded([x + step[0], y + step[1]])));
    }
    e.preventDefault();
  };
  return (
    <>
      {points.map((point, i) => (
        <button
          // biome-ignore lint/suspicious/noArrayIndexKey: a corner that is moved is still that corner
          key={i}
          type="button"
          className="corner"
          style={placed(point)}
          aria-label={t('zones.corner', { label, n: i + 1, x: percent(point[0]), y: percent(point[1]) })}
          onPointerDown={(e) => {
            e.currentTarget.setPointerCapture(e.pointerId);
            setDragged(i);
          }}
          onPointerMove={(e) => dragged === i && onPoints(points.with(i, at(e)))}
          onPointerUp={() => setDragged(null)}
          onKeyDown={(e) => onKey(e, i)}
        />
      ))}
      {polygon &&
        points.length < CORNERS_MAX &&
        points.map((point, i) => {
          const next = points[(i + 1) % points.length] as Point;
          return (
            <button
              // biome-ignore lint/suspicious/noArrayIndexKey: of the side that begins at that corner
              key={i}
              type="button"
              className="corner add"
              style={placed([(point[0] + next[0]) / 2, (point[1] + next[1]) / 2])}
              aria-label={t('zones.addCorner', { label, n: i + 1 })}
              onClick={() => onPoints(withCorner(points, i))}
            >
              +
            </button>
          );
        })}
    </>
  );
}

const percent = (v: number) => Math.round(v * 100);
const placed = ([x, y]: Point) => ({ left: `${x * 100}%`, top: `${y * 100}%` });
