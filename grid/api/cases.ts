import { type Static, Type } from 'typebox';
import { Case } from '../cases/mod.ts';
import { GrantAnswer } from './evidence.ts';
import { listOf } from './parts.ts';

/** What the API answers about a case beside the case itself. */

const strict = { additionalProperties: false } as const;

/**
 * How another case stands to one. merged: it was merged into this one; master: this one was merged into it; earlier, later: the same thing
 * before and after a closing; near: an open one of the same class close by, which may be the same thing.
 */
export const CASE_RELATIONS = ['merged', 'master', 'earlier', 'later', 'near'] as const;
export type CaseRelation = (typeof CASE_RELATIONS)[number];

export const CaseRelativesAnswer = listOf(
  Type.Object(
    { case: Case, relation: Type.Enum(CASE_RELATIONS), distanceM: Type.Number({ description: 'from place to place' }) },
    strict,
  ),
);
export type CaseRelativesAnswer = Static<typeof CaseRelativesAnswer>;

/** Who has asked for originals of a case's files, why, and how often they were read. */
export const CaseGrantsAnswer = Type.Object(
  {
    mayAsk: Type.Boolean({ description: 'whether a role of this account may ask for one' }),
    items: Type.Array(GrantAnswer, { description: 'newest first' }),
  },
  strict,
);
export type CaseGrantsAnswer = Static<typeof CaseGrantsAnswer>;
