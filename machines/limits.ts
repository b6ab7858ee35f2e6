/** Levels of nested JSON in a request, and of JSON pointers: deeper than any workflow or state, and far from overflowing the stack. */
export const MAX_LEVELS = 256;

/** Limits of a workflow document; a larger document is refused. */
export const MAX_NODES = 5_000;
export const MAX_EDGES = 20_000;
/** Conditions and templates. */
export const MAX_EXPRESSIONS = 50_000;
export const MAX_NAME_LENGTH = 256;
/** Nested objects and lists. */
export const MAX_NESTING = 64;
/** Values (numbers, texts, objects …). A YAML alias bomb is small on disk and huge in memory. */
export const MAX_VALUES = 250_000;
/** Keys of one object: what reads an object is not interrupted. */
export const MAX_KEYS = 10_000;
/** Diagnostics of one severity that are listed; the others are counted. */
export const MAX_DIAGNOSTICS = 100;
/** Diagnostics with a search for the name that was probably meant. */
export const MAX_HINTS = 25;
/** A hundred years: the milliseconds of longer durations overflow. */
export const MAX_SECONDS = 100 * 365 * 86_400;

/** Node completions after which an execution fails, unless its workflow or its runtime says otherwise. */
export const DEFAULT_STEP_LIMIT = 10_000;
/** The most that a workflow may say. */
export const MAX_STEPS = 1_000_000;

/** Losses of its process in a row after which another one counts as a failed attempt of a durable function, or of an item of a list. */
export const MAX_LOSSES = 20;
/** The same of leases: one may have expired because the work blocks its worker, and would block the next one. */
export const MAX_LOST_LEASES = 3;
