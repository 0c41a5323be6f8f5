/** What pages with a chart use: the chart brings uPlot along, so it stands apart from `mod.ts`. */
export { Chart, type Series } from './chart.tsx';
export * from './mod.ts';
