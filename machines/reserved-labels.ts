/** Prefix of labels that only the runtime sets, such as what started an execution. */
const PREFIX = 'jamjet.';

/** Labels with that prefix that documents have: compilers of agents write them. */
const DOCUMENT_LABELS: ReadonlySet<string> = new Set([
  'jamjet.strategy',
  'jamjet.agent.id',
  'jamjet.agent.loop',
  'jamjet.agent.max_turns',
]);

/** The first label that only the runtime may set; undefined = none. */
export function reservedLabel(labels: Readonly<Record<string, string>>): string | undefined {
  return Object.keys(labels).find((key) => key.startsWith(PREFIX));
}

/** The first label that a document may not have; undefined = none. */
export function reservedDocumentLabel(labels: Readonly<Record<string, string>>): string | undefined {
  return Object.keys(labels).find((key) => !isAllowed(key));
}

/** The labels that a document may have. */
export function withoutReserved(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => isAllowed(key)));
}

function isAllowed(key: string): boolean {
  return !key.startsWith(PREFIX) || DOCUMENT_LABELS.has(key);
}
