import { join } from 'node:path';
import { createRuntime } from '../../src/runtime/index.ts';
import type { ServerRuntimeOptions } from '../../src/runtime/options.ts';
import type { Caller } from '../../src/runtime/types/caller.ts';
import type { Runtime } from '../../src/runtime/types/runtime.ts';
import type { Store } from '../../store/port/store.ts';
import { openSqlite } from '../../store/sqlite/open.ts';
import * as tools from './tools.ts';

export const CALLER: Caller = { tenantId: 'default', actorId: 'bench', actorType: 'system' };

export interface Open {
  readonly runtime: Runtime;
  readonly store: Store;
  readonly path: string;
  close(): Promise<void>;
}

/** Opens a runtime on its own database file. */
export async function openRuntime(folder: string, name: string, options: Partial<ServerRuntimeOptions> = {}): Promise<Open> {
  const path = join(folder, `${name}.db`);
  const store = await openSqlite({ path, nowMs: Date.now });
  const runtime = await runtimeOn(store, options);
  const close = async () => {
    await runtime.close(0);
    await store.close();
  };
  return { runtime, store, path, close };
}

function runtimeOn(store: Store, options: Partial<ServerRuntimeOptions> = {}) {
  return createRuntime({
    store,
    tools: { ...tools },
    onError: (error) => {
      throw error;
    },
    ...options,
  });
}

/** Runs `body` with a runtime on the store, and closes both. */
export async function onStore<T>(store: Store, body: (runtime: Runtime) => Promise<T>): Promise<T> {
  try {
    const runtime = await runtimeOn(store);
    try {
      return await body(runtime);
    } finally {
      await runtime.close(0);
    }
  } finally {
    await store.close();
  }
}

/** Runs an execution to its end; throws unless it is `completed`. */
export async function complete(runtime: Runtime, workflowId: string, input: { readonly n: number }): Promise<void> {
  const { executionId } = await runtime.start(CALLER, { workflowId, input });
  const view = await runtime.settled(CALLER.tenantId, executionId, 60_000);
  if (view.status !== 'completed') throw new Error(`${executionId} is ${view.status}: ${view.error ?? 'no error'}`);
}

/** Runs three-node executions to their ends, `concurrency` at a time. */
export async function completeMany(runtime: Runtime, count: number, concurrency: number): Promise<void> {
  await many(count, concurrency, () => complete(runtime, 'linear-3', { n: 0 }));
}

/** Calls `once` `count` times, `concurrency` at a time: each of so many lanes makes one call after another. */
export async function many(
  count: number,
  concurrency: number,
  once: (n: number, lane: number) => Promise<unknown>,
): Promise<void> {
  let left = count;
  const run = async (lane: number) => {
    while (left > 0) {
      left -= 1;
      await once(left, lane);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, (_, lane) => run(lane)));
}

export async function withRuntime<T>(
  folder: string,
  name: string,
  body: (open: Open) => Promise<T>,
  options?: Partial<ServerRuntimeOptions>,
): Promise<T> {
  const open = await openRuntime(folder, name, options);
  try {
    return await body(open);
  } finally {
    await open.close();
  }
}
