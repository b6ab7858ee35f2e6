import type { Mismatch as Found } from '../runtime/errors.ts';
import type { Mismatch } from './schemas/errors.ts';

/** As clients read it. */
export function mismatchOf({ sequence, type, nodeId, problem }: Found): Mismatch {
  return { sequence, type, node_id: nodeId, problem };
}
