import { withoutReserved } from '../../machines/reserved-labels.ts';
import { startLabels, startThread } from './start-labels.ts';

/** Labels that only forks have; forks are found by them. */
const ORIGIN_ID_LABEL = 'jamjet.fork.of';
const ORIGIN_SEQUENCE_LABEL = 'jamjet.fork.at';

type Labels = Readonly<Record<string, string>>;

/** The labels of a fork: the origin's own labels without reserved ones but its thread, and where it was forked. */
export function forkLabels(origin: Labels, executionId: string, sequence: number): Labels {
  return {
    ...withoutReserved(origin),
    ...startLabels({ thread: startThread(origin) }),
    [ORIGIN_ID_LABEL]: executionId,
    [ORIGIN_SEQUENCE_LABEL]: String(sequence),
  };
}

/** The labels of the next segment of a fork, which is no fork itself: its log begins with no copy. */
export function withoutOrigin({ [ORIGIN_ID_LABEL]: _id, [ORIGIN_SEQUENCE_LABEL]: _sequence, ...labels }: Labels): Labels {
  return labels;
}

/** The fork point that the labels name; null = not a fork. */
export function forkedFrom(labels: Labels): { readonly executionId: string; readonly sequence: number } | null {
  const executionId = labels[ORIGIN_ID_LABEL];
  return executionId === undefined ? null : { executionId, sequence: Number(labels[ORIGIN_SEQUENCE_LABEL]) };
}
