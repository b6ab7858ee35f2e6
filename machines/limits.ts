/** What a workflow document may hold; beyond it the document is refused. */
export const MAX_NODES = 5_000;
export const MAX_EDGES = 20_000;
/** Conditions and templates. */
export const MAX_EXPRESSIONS = 50_000;
export const MAX_NAME_LENGTH = 256;
/** Levels of objects and lists inside a document. */
export const MAX_NESTING = 64;
/** Values (numbers, texts, objects …) inside a document: a YAML alias bomb is small on disk and huge in memory. */
export const MAX_VALUES = 1_000_000;
/** Diagnostics of one document; the rest is counted, not listed. */
export const MAX_DIAGNOSTICS = 100;
/** Of those, the ones that a search for the name that was meant is worth. */
export const MAX_HINTS = 25;
/** A hundred years: longer durations overflow the clock's milliseconds somewhere on their way. */
export const MAX_SECONDS = 100 * 365 * 86_400;
