import { jsonText } from '../json-text.ts';
import { APPEND_TURNS, CREATE_THREADS } from '../queries/commit.ts';
import type { BoundStatement } from './commit-functions.ts';
import { compare } from './compare.ts';
import type { EncodedWrite } from './encoded-write.ts';

/** What turns append to a thread, as a row of `APPEND_TURNS`. */
interface Growth {
  readonly tenant_id: string;
  readonly id: string;
  /** Null = the first of the turns has found no thread. */
  readonly number: number | null;
  /** Sequence of the last message before. */
  readonly last: number;
  readonly at_ms: number;
  bytes: number;
  readonly said: object[];
}

/** The statements that append turns to threads; null = a thread is not as one of the turns has read it. */
export function turnStatements(writes: readonly EncodedWrite[], atMs: number): readonly BoundStatement[] | null {
  const threads = growths(writes, atMs);
  if (threads === null) return null;
  const created = threads.filter(({ number }) => number === null);
  return [
    ...(created.length === 0 ? [] : [{ statement: CREATE_THREADS, values: [jsonText(created.map(newThread))] }]),
    ...(threads.length === 0 ? [] : [{ statement: APPEND_TURNS, values: [jsonText(threads)] }]),
  ];
}

/** Rows of `CREATE_THREADS` and of `LOCK_THREADS`. */
export function threadsOf(
  writes: readonly EncodedWrite[],
  atMs: number,
): { readonly created: readonly object[]; readonly all: readonly object[] } {
  const all = new Map<string, Pick<Growth, 'tenant_id' | 'id'>>();
  const created = new Map<string, object>();
  for (const { tenantId: tenant_id, threads = [] } of writes)
    for (const { id, read } of threads) {
      const name = nameOf(tenant_id, id);
      all.set(name, { tenant_id, id });
      if (read === null) created.set(name, { tenant_id, id, at_ms: atMs });
    }
  const ofAll = [...all].sort(([, a], [, b]) => inOrder(a, b));
  return { created: ofAll.flatMap(([name]) => created.get(name) ?? []), all: ofAll.map(([, thread]) => thread) };
}

/** Every commit locks threads in the same order, so that no two wait for each other. Null = a thread is not as one of the turns has read it. */
function growths(writes: readonly EncodedWrite[], atMs: number): readonly Growth[] | null {
  const threads = new Map<string, Growth>();
  for (const { id: executionId, tenantId, threads: turns } of writes) {
    if (turns === undefined) continue;
    for (const { id, read, messages, nodeId, activation } of turns) {
      const name = nameOf(tenantId, id);
      const { number, last } = read ?? { number: null, last: 0 };
      const thread = threads.get(name) ?? { tenant_id: tenantId, id, number, last, at_ms: atMs, bytes: 0, said: [] };
      threads.set(name, thread);
      const isAsRead = last === thread.last + thread.said.length && (read === null || number === thread.number);
      if (!isAsRead) return null;
      for (const message of messages) {
        const bytes = Buffer.byteLength(message);
        const sequence = thread.last + thread.said.length + 1;
        thread.said.push({ sequence, bytes, execution_id: executionId, node_id: nodeId, activation, message });
        thread.bytes += bytes;
      }
    }
  }
  return [...threads.values()].sort(inOrder);
}

function newThread({ tenant_id, id, at_ms }: Growth): object {
  return { tenant_id, id, at_ms };
}

function nameOf(tenantId: string, id: string): string {
  return JSON.stringify([tenantId, id]);
}

function inOrder(a: Pick<Growth, 'tenant_id' | 'id'>, b: Pick<Growth, 'tenant_id' | 'id'>): number {
  return compare(a.tenant_id, b.tenant_id) || compare(a.id, b.id);
}
