/** Labels that begin so are set by the runtime alone: they say what started an execution, and what it belongs to. */
const PREFIX = 'jamjet.';

/** The first label that only the runtime may set; undefined = there is none. */
export function reservedLabel(labels: Readonly<Record<string, string>>): string | undefined {
  return Object.keys(labels).find((key) => key.startsWith(PREFIX));
}

export function withoutReserved(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !key.startsWith(PREFIX)));
}
