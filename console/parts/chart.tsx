import 'uplot/dist/uPlot.min.css';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import uPlot from 'uplot';
import { useScheme } from '../app/theme.tsx';
import { momentText } from './time.tsx';

/** Seconds and values; with a band where a value stands for many. */
export interface Series {
  x: number[];
  y: number[];
  band: { low: number[]; high: number[] } | null;
}

const HEIGHT_PX = 260;
/** Between two times of the axis: seconds, too, fit in. */
const TICK_PX = 72;
const MINUTE_S = 60;
const DAY_S = 86_400;
/** A threshold further away than this share of the values' own span would flatten them, and is named at the edge that it lies beyond. */
const THRESHOLD_REACH = 1.5;

/** A curve over time. Drag to zoom in, double-click to zoom out: within what is there, or by `onZoom`, whose owner gives another `window`. */
export function Chart({
  label,
  unit,
  series,
  thresholds = [],
  steps = false,
  window,
  onZoom,
  height = HEIGHT_PX,
}: {
  label: string;
  unit: string;
  series: Series;
  thresholds?: readonly number[];
  steps?: boolean;
  /** Seconds, first and last that are shown; those of the series where not given. */
  window?: [number, number] | undefined;
  /** Seconds that are wanted; null: all. */
  onZoom?: (to: [number, number] | null) => void;
  height?: number;
}) {
  const { t, i18n } = useTranslation();
  const { scheme } = useScheme();
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data = toData(series);
  const banded = series.band !== null;
  const shown = useRef(window);
  shown.current = window;
  const zoom = useRef(onZoom);
  zoom.current = onZoom;
  // biome-ignore lint/correctness/useExhaustiveDependencies: new values go into the chart that is there
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const chart = new uPlot(
      optionsOf({ element, label, unit, thresholds, steps, banded, height, timeLabel: t('field.time'), window: shown, zoom }),
      data,
      element,
    );
    plot.current = chart;
    const resize = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      chart.destroy();
      plot.current = null;
    };
  }, [label, unit, steps, banded, height, scheme, i18n.language, thresholds]);
  useEffect(() => {
    plot.current?.setData(data);
  }, [data]);
  return <div ref={place} className="chart" role="img" aria-label={label} />;
}

function toData({ x, y, band }: Series): uPlot.AlignedData {
  return band === null ? [x, y] : [x, y, band.low, band.high];
}

const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

interface Look {
  element: HTMLElement;
  label: string;
  unit: string;
  thresholds: readonly number[];
  steps: boolean;
  banded: boolean;
  height: number;
  timeLabel: string;
  window: { current: [number, number] | undefined };
  zoom: { current: ((to: [number, number] | null) => void) | undefined };
}

function optionsOf({ element, label, unit, thresholds, steps, banded, height, timeLabel, window, zoom }: Look): uPlot.Options {
  const isOwned = zoom.current !== undefined;
  const [line, dim, accent, alarm] = ['--line', '--dim', '--accent', '--critical'].map(colour) as [
    string,
    string,
    string,
    string,
  ];
  const axis = { stroke: dim, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  const paths = steps ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
  const bound = { stroke: `${accent}55`, width: 1, points: { show: false } };
  return {
    width: Math.max(200, element.clientWidth),
    height,
    series: [
      { label: timeLabel, value: (_u, v) => (v == null ? '–' : momentText(v * 1000)) },
      {
        label,
        stroke: accent,
        width: 1.75,
        points: { size: 4 },
        ...(paths ? { paths } : {}),
        value: (_u, v) => (v == null ? '–' : `${round(v)} ${unit}`),
      },
      ...(banded
        ? [
            { label: 'min', ...bound },
            { label: 'max', ...bound },
          ]
        : []),
    ],
    bands: banded ? [{ series: [3, 2], fill: `${accent}22` }] : [],
    axes: [
      { ...axis, space: TICK_PX, values: (_u, ticks, _a, _s, stepS) => ticks.map((s) => tickText(s, stepS)) },
      { ...axis, size: 56, label: unit, labelSize: 18, labelFont: '12px sans-serif' },
    ],
    scales: {
      // Data as a whole are shown in their window; a part that somebody has zoomed into as it is.
      x: { range: (u, min, max) => (window.current && (isOwned || isWhole(u, min, max)) ? window.current : [min, max]) },
      y: { range: (_u, min, max) => rangeOf(min, max, thresholds) },
    },
    cursor: {
      drag: { x: true, y: false, setScale: !isOwned },
      ...(isOwned ? { bind: { dblclick: () => () => zoomOut(zoom.current) } } : {}),
    },
    legend: { show: true, live: true },
    hooks: {
      draw: [(u) => drawThresholds(u, thresholds, alarm)],
      ...(isOwned ? { setSelect: [(u) => takeSelection(u, zoom.current)] } : {}),
    },
  };
}

/** As coarse as the distance of the ticks: seconds, minutes, days. */
function tickText(s: number, stepS: number): string {
  const at = new Date(s * 1000);
  const pad = (n: number) => String(n).padStart(2, '0');
  const time = `${pad(at.getHours())}:${pad(at.getMinutes())}`;
  if (stepS < MINUTE_S) return `${time}:${pad(at.getSeconds())}`;
  const date = `${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
  return stepS < DAY_S ? (time === '00:00' ? date : time) : date;
}

const round = (value: number) => Math.round(value * 1000) / 1000;

function isWhole({ data }: uPlot, min: number, max: number): boolean {
  // Around one sample alone uPlot makes up some years.
  return min === data[0][0] && (max === data[0].at(-1) || data[0].length === 1);
}

/** The values with some air, and the thresholds that are near them. */
function rangeOf(min: number, max: number, thresholds: readonly number[]): [number, number] {
  const span = Math.max(max - min, Math.abs(max) * 0.1, 0.1);
  const near = thresholds.filter((v) => v > min - span * THRESHOLD_REACH && v < max + span * THRESHOLD_REACH);
  const air = span * 0.08;
  const [lowest, highest] = [Math.min(min, ...near), Math.max(max, ...near)];
  // What is never below zero is not shown below zero.
  return [lowest >= 0 ? Math.max(0, lowest - air) : lowest - air, highest + air];
}

/** Null, as uPlot wants it: the event goes no further. */
function zoomOut(zoom: Look['zoom']['current']): null {
  zoom?.(null);
  return null;
}

/** What was dragged over is what is wanted; the mark of it goes. */
function takeSelection(u: uPlot, zoom: Look['zoom']['current']): void {
  const { left, width } = u.select;
  if (width <= 0) return;
  zoom?.([u.posToVal(left, 'x'), u.posToVal(left + width, 'x')]);
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
}

const LABEL_PX = 12;

/** A line for each in view; what lies beyond an edge is named there. */
function drawThresholds(u: uPlot, thresholds: readonly number[], stroke: string): void {
  const { ctx, bbox } = u;
  const [lowest = 0, highest = 0] = [u.scales.y?.min, u.scales.y?.max];
  const pad = 4 * devicePixelRatio;
  const right = bbox.left + bbox.width - pad;
  ctx.save();
  ctx.strokeStyle = stroke;
  ctx.fillStyle = stroke;
  ctx.lineWidth = devicePixelRatio;
  ctx.font = `${LABEL_PX * devicePixelRatio}px sans-serif`;
  ctx.textAlign = 'right';
  ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
  for (const value of thresholds) {
    if (value < lowest || value > highest) continue;
    const y = u.valToPos(value, 'y', true);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
  const [above, below] = [thresholds.filter((v) => v > highest), thresholds.filter((v) => v < lowest)];
  ctx.textBaseline = 'top';
  if (above.length > 0) ctx.fillText(`▲ ${above.join(', ')}`, right, bbox.top + pad);
  ctx.textBaseline = 'bottom';
  if (below.length > 0) ctx.fillText(`▼ ${below.join(', ')}`, right, bbox.top + bbox.height - pad);
  ctx.restore();
}
