import type { KeyWrite } from '../../port/resources/keys.ts';
import { writeKey } from '../../resources/keys.ts';
import { runScript } from '../resource-database.ts';
import type { Transaction } from '../writer.ts';
import { compare } from './compare.ts';
import type { EncodedWrite } from './encoded-write.ts';

interface KeyOfExecution {
  readonly tenantId: string;
  readonly executionId: string;
  readonly write: KeyWrite;
}

/** What the commit does to keys. Every commit takes keys in the same order, so that no two wait for each other; the writes of one key keep theirs. */
export function keysOf(writes: readonly EncodedWrite[]): readonly KeyOfExecution[] {
  return writes
    .flatMap(({ id, tenantId, keys = [] }) => keys.map((write) => ({ tenantId, executionId: id, write })))
    .sort(
      (a, b) =>
        compare(a.tenantId, b.tenantId) || compare(a.write.workflowId, b.write.workflowId) || compare(a.write.key, b.write.key),
    );
}

/** The execution whose key another one has; null = all are written. */
export async function writeKeys(transaction: Transaction, keys: readonly KeyOfExecution[]): Promise<string | null> {
  for (const { write, ...execution } of keys)
    if (!(await runScript(transaction, writeKey(write, execution)))) return execution.executionId;
  return null;
}
