import type { ThreadTurn } from '../../port/resources/threads.ts';
import { appendTurn } from '../../resources/threads/writes.ts';
import { runScript } from '../resource-database.ts';
import type { Transaction } from '../writer.ts';
import { compare } from './compare.ts';
import type { EncodedWrite } from './encoded-write.ts';

interface TurnOfExecution {
  readonly tenantId: string;
  readonly executionId: string;
  readonly turn: ThreadTurn;
}

/** The turns of a commit. Every commit locks threads in the same order, so that no two wait for each other; the turns of one thread keep theirs. */
export function turnsOf(writes: readonly EncodedWrite[]): readonly TurnOfExecution[] {
  return writes
    .flatMap(({ id, tenantId, threads = [] }) => threads.map((turn) => ({ tenantId, executionId: id, turn })))
    .sort((a, b) => compare(a.tenantId, b.tenantId) || compare(a.turn.id, b.turn.id));
}

/** False: a thread is not as its turn has read it. */
export async function appendTurns(transaction: Transaction, turns: readonly TurnOfExecution[], atMs: number): Promise<boolean> {
  for (const { turn, ...execution } of turns)
    if (!(await runScript(transaction, appendTurn(turn, { atMs, ...execution })))) return false;
  return true;
}
