import { setImmediate } from 'node:timers/promises';
import type { Message } from '../../machines/messages.ts';
import { activeOf } from '../../machines/step.ts';
import type { ExecutionRow } from '../../store/rows.ts';
import type { Store } from '../../store/store.ts';
import type { Hot } from './hot.ts';

/** Executions taken over between two turns of the event loop: a restart with thousands of them must not keep the first requests waiting. */
const PAGE = 20;

export interface RecoveryOptions {
  readonly store: Store;
  readonly runtimeId: string;
  readonly adopts: (executionId: string) => boolean;
  readonly stopped: () => boolean;
  readonly read: (row: ExecutionRow) => Promise<Hot>;
  /** Resolves when the message has been taken or refused. */
  readonly deliver: (executionId: string, message: Message) => Promise<void>;
  readonly failed: (error: unknown) => void;
}

/**
 * Takes over the in-process work of runtimes that are gone. The snapshot is the intention: a node that was under way gets
 * a failed attempt (`runtime lost`), so that a poisonous one cannot loop for ever; work that an orderly stop handed back is
 * begun again under the same attempt.
 */
export async function recover(options: RecoveryOptions): Promise<void> {
  const orderly = new Map<string, Promise<boolean>>();
  let after = '';
  while (!options.stopped()) {
    await setImmediate();
    const rows = await options.store.executionsWithLocalWork({ after, limit: PAGE });
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.id;
    const left = rows.filter((row) => row.owner !== null && row.owner !== options.runtimeId && options.adopts(row.id));
    await Promise.all(
      left.map(async (row) => {
        const owner = row.owner ?? '';
        const known = orderly.get(owner) ?? options.store.stoppedCleanly(owner);
        orderly.set(owner, known);
        try {
          await adopt(options, await options.read(row), await known);
        } catch (error) {
          options.failed(error);
        }
      }),
    );
  }
}

/**
 * Takes `tool` nodes that wait for an external worker into this process, when it has the tool: an execution need not wait for
 * ever because the server that began it had been started without its tools.
 */
export async function reclaim(options: RecoveryOptions): Promise<void> {
  let after = '';
  while (!options.stopped()) {
    await setImmediate();
    const items = await options.store.unclaimedWork({ queue: 'tool', after, limit: PAGE });
    const last = items.at(-1);
    if (last === undefined) return;
    after = last.id;
    for (const { executionId, nodeId: node, activation, attempt } of items) {
      const row = options.adopts(executionId) ? await options.store.execution(executionId) : null;
      if (row === null) continue;
      try {
        const { loaded } = await options.read(row);
        if (loaded.isLocal(node)) await options.deliver(executionId, { type: 'requeue', node, activation, attempt });
      } catch (error) {
        options.failed(error);
      }
    }
  }
}

async function adopt(options: RecoveryOptions, hot: Hot, orderly: boolean): Promise<void> {
  const under = activeOf(hot.loaded.program, hot.run).filter((active) => active.local && active.phase === 'running');
  for (const { node, activation, attempt } of under) {
    const isChild = hot.loaded.kindOf(node)?.type === 'subgraph';
    // Starting a child is the runtime's own work and leaves nothing behind when it is cut short: it never counts as an attempt.
    const message: Message =
      orderly || isChild
        ? { type: 'requeue', node, activation, attempt }
        : { type: 'fail', node, activation, attempt, error: 'runtime lost', retryable: true };
    await options.deliver(hot.id, message);
  }
}
