import type { KeyWrite } from '../port/resources/keys.ts';
import * as sql from './queries/keys.ts';
import { run, type Script } from './script.ts';

/** False = another execution has the key, and nothing was written. */
export function* writeKey(
  write: KeyWrite,
  { tenantId, executionId }: { readonly tenantId: string; readonly executionId: string },
): Script<boolean> {
  const { workflowId, key } = write;
  const row = { tenantId, workflowId, key, executionId };
  if (write.op === 'inherit' && (yield* run(sql.PASS_KEY, { ...row, from: write.from })) === 1) return true;
  if (write.op !== 'free') return (yield* run(sql.TAKE_KEY, row)) === 1;
  yield* run(sql.FREE_KEY, row);
  return true;
}
