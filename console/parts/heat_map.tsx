import { HeatmapChart } from 'echarts/charts';
import { GridComponent, TooltipComponent, VisualMapComponent } from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { useEffect, useRef } from 'react';
import { type Scheme, useScheme } from '../app/theme.tsx';

use([HeatmapChart, GridComponent, TooltipComponent, VisualMapComponent, CanvasRenderer]);

export interface Heat {
  columns: readonly string[];
  /** The first is the uppermost. */
  rows: readonly string[];
  /** Column, row, value; zeros have colour and no number. */
  cells: readonly (readonly [column: number, row: number, value: number])[];
}

/** Text is legible on all of a scale. */
const COLOURS: Record<Scheme, { scale: string[]; text: string; line: string }> = {
  light: { scale: ['#eef3f4', '#9fd6cd', '#3aa899'], text: '#12242a', line: '#ffffff' },
  dark: { scale: ['#1e2c31', '#1c5f59', '#17807a'], text: '#f2f7f8', line: '#18242a' },
};
const ROW_PX = 34;
const AROUND_PX = 104;

/** Values of two dimensions by colour and number; the scale below it hides what is less or more. `text` is for who cannot see it. */
export default function HeatMap({ heat, text }: { heat: Heat; text: string }) {
  const { scheme } = useScheme();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const chart = init(element);
    chart.setOption(optionOf(heat, scheme));
    const resize = new ResizeObserver(() => chart.resize());
    resize.observe(element);
    return () => {
      resize.disconnect();
      chart.dispose();
    };
  }, [heat, scheme]);
  return <div ref={place} role="img" aria-label={text} style={{ height: heat.rows.length * ROW_PX + AROUND_PX }} />;
}

function optionOf({ columns, rows, cells }: Heat, scheme: Scheme): EChartsCoreOption {
  const { scale, text, line } = COLOURS[scheme];
  const axis = { axisLine: { show: false }, axisTick: { show: false }, axisLabel: { color: text } };
  return {
    animation: false,
    grid: { left: 48, right: 8, top: 8, bottom: 84 },
    xAxis: { type: 'category', data: [...columns], ...axis },
    yAxis: { type: 'category', data: [...rows], inverse: true, ...axis },
    // Drawn, not put into the document as markup.
    tooltip: { renderMode: 'richText' },
    visualMap: {
      min: 0,
      max: Math.max(1, ...cells.map(([, , value]) => value)),
      calculable: true,
      precision: 0,
      orient: 'horizontal',
      left: 'center',
      bottom: 0,
      textStyle: { color: text },
      inRange: { color: scale },
    },
    series: [
      {
        type: 'heatmap',
        data: cells.map((cell) => [...cell]),
        label: {
          show: true,
          color: text,
          formatter: ({ value }: { value: number[] }) => (value[2] === 0 ? '' : String(value[2])),
        },
        itemStyle: { borderColor: line, borderWidth: 2, borderRadius: 3 },
      },
    ],
  };
}
