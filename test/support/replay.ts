import { runToEnd } from '../../machines/cooperative.ts';
import { replayInSteps } from '../../machines/replay/index.ts';
import type { Run } from '../../machines/run.ts';

/** `replayInSteps`, all at once. */
export function replay(...given: Parameters<typeof replayInSteps>): Run {
  return runToEnd(replayInSteps(...given));
}
