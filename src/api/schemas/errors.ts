import { type Static, Type } from 'typebox';
import { AnyObject } from './fields.ts';

/** Where a log and a version of its workflow part. */
export const Mismatch = Type.Object({
  /** Of the event that the version would not have written. */
  sequence: Type.Integer(),
  /** Null when the log ends there. */
  type: Type.Union([Type.String(), Type.Null()]),
  node_id: Type.Union([Type.String(), Type.Null()]),
  problem: Type.String(),
});
export type Mismatch = Static<typeof Mismatch>;

/** What every refused request gets. */
export const ApiErrorBody = Type.Object({
  /** For people: a class (`bad request`, `not found`, `conflict` …) and what is wrong. */
  error: Type.String(),
  /** For programs: stable. */
  code: Type.String(),
  /** The lowest role that would do (403 only). */
  required: Type.Optional(Type.String()),
  /** What is wrong with a workflow: the first hundred problems. */
  diagnostics: Type.Optional(Type.Array(AnyObject)),
  /** Why a fork would not fit the version asked for (`does_not_fit` only). */
  mismatch: Type.Optional(Mismatch),
});
export type ApiErrorBody = Static<typeof ApiErrorBody>;
