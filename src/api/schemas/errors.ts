import { type Static, Type } from 'typebox';
import { AnyObject } from './fields.ts';

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
});
export type ApiErrorBody = Static<typeof ApiErrorBody>;
