import { type Static, Type } from 'typebox';
import { componentClass, EventClass, eventClass, Place, parseCellCode, parseComponentCode } from '#grid/mod.ts';
import { GewuError } from '#service/mod.ts';
import type { CaseDraft } from '../draft.ts';
import { classColumns, placeColumns } from '../rows.ts';
import { strict, Text } from './inputs.ts';

/** What an officer may mend when he files or forwards; the machines leave class and place alone from then on. */
export const Correction = Type.Object(
  {
    class: Type.Optional(EventClass),
    place: Type.Optional(Place),
    /** Why a component case names no component (0114 无主井盖, or not found on site). */
    componentUnknown: Type.Optional(Text),
  },
  strict,
);
export type Correction = Static<typeof Correction>;

/**
 * What every filed case must have: a class of the catalogue, a unit grid, and where it is a component's fault the
 * component, of that class and division. Source: docs/domain/rules.md sections 2, 3 and 5.
 */
export function guardFiling({ row }: CaseDraft, input: Correction): void {
  const flag = input.class?.flag ?? row.flag;
  const code = input.class?.code ?? row.code;
  const cell = input.place?.cell ?? row.cell;
  const component = input.place ? input.place.component : row.component;
  if ((flag === 1 ? componentClass(code) : eventClass(code)) === undefined)
    refuse(`${flag}:${code} is no class of the catalogue`);
  const grid = parseCellCode(cell);
  if (!grid.ok) refuse(`${cell} is no unit grid (${grid.fault})`);
  if (flag === 1) guardComponent(component ?? null, code, cell.slice(0, 6), input);
}

function guardComponent(component: string | null, code: string, division: string, input: Correction): void {
  if (component === null) {
    if (input.componentUnknown !== undefined) return;
    refuse('a component case names the component, or says why it is unknown (componentUnknown)');
  }
  const parsed = parseComponentCode(component);
  if (!parsed.ok) refuse(`${component} is no component code (${parsed.fault})`);
  if (parsed.value.class !== code) refuse(`component ${component} is not of the class ${code}`);
  if (parsed.value.division !== division) refuse(`component ${component} does not lie in the division ${division}`);
}

function refuse(reason: string): never {
  throw new GewuError('GEWU_TRANSITION_GUARD', reason);
}

export function applyCorrection({ row }: CaseDraft, input: Correction): void {
  if (input.class) Object.assign(row, classColumns(input.class), { corrected: 1 });
  if (input.place) Object.assign(row, placeColumns(input.place), { corrected: 1 });
}
