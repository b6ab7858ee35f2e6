/** Prefix of labels that only the runtime sets, such as what started an execution. */
const PREFIX = 'jamjet.';

/** The first label that only the runtime may set; undefined = none. */
export function reservedLabel(labels: Readonly<Record<string, string>>): string | undefined {
  return Object.keys(labels).find((key) => key.startsWith(PREFIX));
}

export function withoutReserved(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !key.startsWith(PREFIX)));
}
