import { type Static, Type } from 'typebox';
import { EventClass, Place } from '#grid/mod.ts';
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

/** A unit grid, not the roll-up `000` of its community. Source: docs/domain/rules.md section 3. */
const CELL = /^[0-9]{12}(?!000)[0-9]{3}$/;

/** What every filed case must have: a unit grid, and a component where it is a component's fault. */
export function guardPlace({ row }: CaseDraft, input: Correction): void {
  const flag = input.class?.flag ?? row.flag;
  const component = input.place ? input.place.component : row.component;
  if (!CELL.test(input.place?.cell ?? row.cell)) throw new GewuError('GEWU_TRANSITION_GUARD', 'the case lies in no unit grid');
  if (flag === 1 && !component && input.componentUnknown === undefined)
    throw new GewuError(
      'GEWU_TRANSITION_GUARD',
      'a component case names the component, or says why it is unknown (componentUnknown)',
    );
}

export function applyCorrection({ row }: CaseDraft, input: Correction): void {
  if (input.class) Object.assign(row, classColumns(input.class), { corrected: 1 });
  if (input.place) Object.assign(row, placeColumns(input.place), { corrected: 1 });
}
