import { type Static, Type } from 'typebox';
import { CASE_SOURCES, EventClass, Id, Place, Severity } from '#grid/mod.ts';
import { GewuError } from '#service/mod.ts';
import { defineTransition } from './define.ts';
import { attachFiles, Files, Note, strict } from './inputs.ts';

export const ReportInput = Type.Object(
  {
    /** The same key from the same actor is the same report. */
    key: Type.Optional(Id()),
    class: EventClass,
    place: Place,
    severity: Severity,
    source: Type.Enum(CASE_SOURCES),
    /** UTC ms; now when missing. */
    seenAt: Type.Optional(Type.Integer({ minimum: 0 })),
    evidence: Type.Optional(Files),
    note: Note,
  },
  strict,
);
export type ReportInput = Static<typeof ReportInput>;

/** 上报. Makes the case. An event's own report starts in VERIFYING where the filing policy says verify-first. */
export const report = defineTransition({
  name: 'report',
  labelZh: '上报',
  labelEn: 'Report',
  from: [],
  to: ['REPORTED', 'VERIFYING'],
  roles: ['supervision', 'supervisor', 'department', 'leader', 'machine'],
  input: ReportInput,
  guard({ role }, { source }) {
    const automatic = source === 'sensor' || source === 'camera';
    if (automatic !== (role === 'machine'))
      throw new GewuError('GEWU_TRANSITION_GUARD', `a report of the role ${role} cannot have the source ${source}`);
  },
  apply(context, { evidence }) {
    attachFiles(context, 'report', evidence);
  },
});
