import 'uplot/dist/uPlot.min.css';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import uPlot from 'uplot';
import { useScheme } from '../app/theme.tsx';

/** Seconds and values; with a band where a value stands for many. */
export interface Series {
  x: number[];
  y: number[];
  band: { low: number[]; high: number[] } | null;
}

const HEIGHT_PX = 260;
/** A threshold further away than this share of the values' own span would flatten them, and is named below the chart only. */
const THRESHOLD_REACH = 1.5;

/** A curve over time. Drag to zoom in, double-click to zoom out. */
export function Chart({
  label,
  unit,
  series,
  thresholds = [],
  steps = false,
  height = HEIGHT_PX,
}: {
  label: string;
  unit: string;
  series: Series;
  thresholds?: readonly number[];
  steps?: boolean;
  height?: number;
}) {
  const { i18n } = useTranslation();
  const { scheme } = useScheme();
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data = toData(series);
  const banded = series.band !== null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: new values go into the chart that is there
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const chart = new uPlot(optionsOf({ element, label, unit, thresholds, steps, banded, height }), data, element);
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
}

function optionsOf({ element, label, unit, thresholds, steps, banded, height }: Look): uPlot.Options {
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
      {},
      {
        label,
        stroke: accent,
        width: 1.75,
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
    axes: [axis, { ...axis, size: 56, label: unit, labelSize: 18, labelFont: '12px sans-serif' }],
    scales: { y: { range: (_u, min, max) => rangeOf(min, max, thresholds) } },
    cursor: { drag: { x: true, y: false } },
    legend: { show: true, live: true },
    hooks: { draw: [(u) => drawThresholds(u, thresholds, alarm)] },
    fmtDate: (template) => uPlot.fmtDate(template),
  };
}

const round = (value: number) => Math.round(value * 1000) / 1000;

/** The values with some air, and the thresholds that are near them. */
function rangeOf(min: number, max: number, thresholds: readonly number[]): [number, number] {
  const span = Math.max(max - min, Math.abs(max) * 0.1, 0.1);
  const near = thresholds.filter((v) => v > min - span * THRESHOLD_REACH && v < max + span * THRESHOLD_REACH);
  const air = span * 0.08;
  return [Math.min(min, ...near) - air, Math.max(max, ...near) + air];
}

function drawThresholds(u: uPlot, thresholds: readonly number[], stroke: string): void {
  const { ctx, bbox } = u;
  const [lowest = 0, highest = 0] = [u.scales.y?.min, u.scales.y?.max];
  ctx.save();
  ctx.strokeStyle = stroke;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
  for (const value of thresholds) {
    if (value < lowest || value > highest) continue;
    const y = u.valToPos(value, 'y', true);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
  ctx.restore();
}
