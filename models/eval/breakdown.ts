import { type Answer, type Evaluation, evaluate, SIDE_PX_MIN, type SizeRange } from './evaluate.ts';

/** Answers of one kind of picture, or about things of one size. */
export interface Part {
  name: string;
  evaluation: Evaluation;
}

const SIZES: readonly SizeRange[] = [
  { fromPx: SIDE_PX_MIN, toPx: 20 },
  { fromPx: 20, toPx: 40 },
  { fromPx: 40, toPx: 100_000 },
];

const LIGHTS: readonly { name: string; holds(light: NonNullable<Answer['light']>): boolean }[] = [
  { name: 'day', holds: (l) => l.daylight >= 0.7 },
  { name: 'dusk', holds: (l) => l.daylight >= 0.3 && l.daylight < 0.7 },
  { name: 'night', holds: (l) => l.daylight < 0.3 },
  { name: 'rain', holds: (l) => l.rain > 0 },
  { name: 'glare', holds: (l) => (l.glare ?? 0) > 0 },
  { name: 'wind', holds: (l) => (l.wind ?? 0) > 0 },
];

/** The same figures by light, where the pictures say it, and by size of the things. */
export function breakDown(
  answers: readonly Answer[],
  classes: readonly string[],
  thresholds: Readonly<Record<string, number>>,
): Part[] {
  const lights = LIGHTS.map(({ name, holds }) => ({
    name,
    evaluation: evaluate(
      answers.filter((a) => a.light !== undefined && holds(a.light)),
      classes,
      thresholds,
    ),
  }));
  const sizes = SIZES.map((range) => ({
    name: range.toPx > 1000 ? `${range.fromPx} px and more` : `${range.fromPx}-${range.toPx} px`,
    evaluation: evaluate(answers, classes, thresholds, range),
  }));
  return [...lights.filter((p) => p.evaluation.images > 0), ...sizes];
}
