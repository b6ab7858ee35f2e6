import { withoutReserved } from '../../machines/reserved-labels.ts';

/** Labels by which forks are found; only forks have them. */
const OF = 'jamjet.fork.of';
const AT = 'jamjet.fork.at';

type Labels = Readonly<Record<string, string>>;

/** The labels of a fork: those that a client or the workflow gave its origin, and where it was forked. */
export function forkLabels(origin: Labels, executionId: string, sequence: number): Labels {
  return { ...withoutReserved(origin), [OF]: executionId, [AT]: String(sequence) };
}

/** Null = it is no fork. */
export function forkedFrom(labels: Labels): { readonly executionId: string; readonly sequence: number } | null {
  const executionId = labels[OF];
  return executionId === undefined ? null : { executionId, sequence: Number(labels[AT]) };
}
