import { type KeyboardEvent, type ReactNode, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { rounded, stepOf } from './draft.ts';
import type { GroundPoint } from './ground_points.ts';

/** Numbered points over a picture: a click adds one, they are dragged or moved by arrow keys. */
export function PicturePoints({
  points,
  chosen,
  aspect,
  onChoose,
  onMove,
  onAdd,
  children,
}: {
  points: readonly GroundPoint[];
  chosen: number | null;
  aspect: number;
  onChoose: (index: number) => void;
  /** None: to be looked at only. */
  onMove: ((index: number, at: { x: number; y: number }) => void) | null;
  onAdd: ((at: { x: number; y: number }) => void) | null;
  /** The picture, which fills its parent. */
  children: ReactNode;
}) {
  const { t } = useTranslation();
  const box = useRef<HTMLDivElement>(null);
  const [dragged, setDragged] = useState<number | null>(null);
  const at = (e: { clientX: number; clientY: number }) => {
    const { left, top, width, height } = (box.current as HTMLDivElement).getBoundingClientRect();
    const [x, y] = rounded([(e.clientX - left) / width, (e.clientY - top) / height]);
    return { x, y };
  };
  const onKey = (e: KeyboardEvent, i: number, { x, y }: GroundPoint) => {
    const step = stepOf(e);
    if (step === null || onMove === null) return;
    e.preventDefault();
    const [nextX, nextY] = rounded([x + step[0], y + step[1]]);
    onMove(i, { x: nextX, y: nextY });
  };
  return (
    <div ref={box} className="camera-picture large shapes" style={{ aspectRatio: aspect }}>
      {children}
      {onAdd && (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the button above the table adds one by keyboard
        // biome-ignore lint/a11y/noStaticElementInteractions: it catches clicks into the picture
        <div className="draw" onClick={(e) => onAdd(at(e))} />
      )}
      {points.map((point, i) => (
        <button
          // biome-ignore lint/suspicious/noArrayIndexKey: a point's number is its name
          key={i}
          type="button"
          className={i === chosen ? 'ground-point over chosen' : 'ground-point over'}
          style={{ left: `${point.x * 100}%`, top: `${point.y * 100}%` }}
          aria-label={t('calibration.pointN', { n: i + 1 })}
          aria-pressed={i === chosen}
          onClick={() => onChoose(i)}
          onPointerDown={(e) => {
            e.currentTarget.setPointerCapture(e.pointerId);
            onChoose(i);
            setDragged(i);
          }}
          onPointerMove={(e) => dragged === i && onMove?.(i, at(e))}
          onPointerUp={() => setDragged(null)}
          onKeyDown={(e) => onKey(e, i, point)}
        >
          {i + 1}
        </button>
      ))}
    </div>
  );
}
