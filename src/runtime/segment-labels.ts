import { withoutOrigin } from './fork-labels.ts';

/** Labels of an execution that continues another one (`continue_as_new`). */
const SEGMENT_LABEL = 'jamjet.segment';
const PREVIOUS_LABEL = 'jamjet.segment.after';
const FIRST_LABEL = 'jamjet.segment.first';

type Labels = Readonly<Record<string, string>>;

export interface SegmentOf {
  /** 0, 1, 2 … */
  readonly segment: number;
  /** The execution that it continues; null = it is the first of its chain. */
  readonly previousId: string | null;
  /** The first execution of its chain; null = itself. */
  readonly firstId: string | null;
}

/** The labels of the next segment: those of the execution that it continues, and its place in the chain. */
export function nextSegmentLabels(labels: Labels, executionId: string, segment: number): Labels {
  return {
    ...withoutOrigin(labels),
    [SEGMENT_LABEL]: String(segment),
    [PREVIOUS_LABEL]: executionId,
    [FIRST_LABEL]: labelOfChain(labels, executionId).value,
  };
}

export function segmentOf(labels: Labels): SegmentOf {
  return {
    segment: Number(labels[SEGMENT_LABEL] ?? 0),
    previousId: labels[PREVIOUS_LABEL] ?? null,
    firstId: labels[FIRST_LABEL] ?? null,
  };
}

/** The label that all segments after the first have in common. */
export function labelOfChain(labels: Labels, executionId: string): { readonly key: string; readonly value: string } {
  return { key: FIRST_LABEL, value: labels[FIRST_LABEL] ?? executionId };
}
