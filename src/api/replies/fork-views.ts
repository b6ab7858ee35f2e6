import type { ForkMismatch, PastDecision as PastDecisionView } from '../../runtime/errors.ts';
import { encoder } from '../operations/codec.ts';
import { Mismatch, PastDecision } from '../schemas/errors.ts';

// How errors and dry runs write what the runtime says about forks.

export const toMismatch = encoder(Mismatch) as (mismatch: ForkMismatch) => Mismatch;
const encodeDecision = encoder(PastDecision);

export function toPastDecision(view: PastDecisionView): PastDecision {
  return encodeDecision({ lastFreeSequence: view.lastFree, ...view }) as PastDecision;
}
