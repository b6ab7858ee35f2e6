/** Labels by which forks are found; only forks have them. */
const OF = 'jamjet.fork.of';
const AT = 'jamjet.fork.at';

type Labels = Readonly<Record<string, string>>;

/** The labels of a fork: its origin's, but for what says where that one came from. */
export function forkLabels(origin: Labels, executionId: string, sequence: number): Labels {
  const kept = Object.entries(origin).filter(([key]) => !key.startsWith('jamjet.'));
  return { ...Object.fromEntries(kept), [OF]: executionId, [AT]: String(sequence) };
}

/** Null = it is no fork. */
export function forkedFrom(labels: Labels): { readonly executionId: string; readonly sequence: number } | null {
  const executionId = labels[OF];
  return executionId === undefined ? null : { executionId, sequence: Number(labels[AT]) };
}

/** The first label that only a fork may have; undefined = there is none. */
export function reservedLabel(labels: Labels): string | undefined {
  return [OF, AT].find((key) => Object.hasOwn(labels, key));
}

export function withoutReserved(labels: Labels): Labels {
  const { [OF]: _of, [AT]: _at, ...rest } = labels;
  return rest;
}
