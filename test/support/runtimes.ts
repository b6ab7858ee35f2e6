import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Json, JsonObject } from '../../machines/json.ts';
import { agentDirectory } from '../../src/control/agents/directory.ts';
import { createRuntime } from '../../src/runtime/index.ts';
import type { ServerRuntimeOptions } from '../../src/runtime/options.ts';
import type { Caller } from '../../src/runtime/types/caller.ts';
import type { EventView, ExecutionView } from '../../src/runtime/types/executions.ts';
import type { ServerRuntime } from '../../src/runtime/types/server-runtime.ts';
import type { Store } from '../../store/port/store.ts';
import { FakeClock } from './clock.ts';
import { openMigrated } from './migrated-sqlite.ts';
import { PATIENCE_MS } from './patience.ts';

export const CALLER: Caller = { tenantId: 'default', actorId: 'tester', actorType: 'human' };

/** Path of a new database file that is removed at the end of the test. */
export function databasePath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'jamjet-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'runtime.db');
}

/** A copy of the database as a crash at this moment would leave it. */
export function crashCopy(path: string): string {
  const copy = databasePath();
  for (const suffix of ['', '-wal']) if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix);
  return copy;
}

/** Turns of the event loop that a condition is awaited without a pause. */
const TURNS_AT_ONCE = 200;
export interface TestRuntime {
  readonly runtime: ServerRuntime;
  readonly clock: FakeClock;
  readonly store: Store;
  readonly path: string;
  readonly errors: unknown[];
  /** Registers a document and starts an execution. */
  run(document: JsonObject, input?: Json): Promise<string>;
  /** Resolves with the execution once it has ended or waits. */
  settled(id: string): Promise<ExecutionView>;
  log(id: string): Promise<EventView[]>;
  /** `type node` of each event. */
  timeline(id: string): Promise<string[]>;
  /** Closes the runtime and the store. */
  close(graceMs?: number): Promise<void>;
}

/** Opens a runtime with a fake clock on a real SQLite file, or on the given store. */
export async function openTestRuntime(
  options: Partial<Omit<ServerRuntimeOptions, 'store'>> & { readonly path?: string; readonly on?: Store } = {},
): Promise<TestRuntime> {
  const path = options.path ?? databasePath();
  const clock = options.clock instanceof FakeClock ? options.clock : new FakeClock();
  const store = options.on ?? (await openMigrated({ path, writer: 'test', nowMs: () => clock.nowMs() }));
  const errors: unknown[] = [];
  const runtime = await createRuntime({
    agents: agentDirectory(store.agents, { onError: (error) => errors.push(error) }),
    ...options,
    store,
    clock,
    onError: (error) => errors.push(error),
  });
  let closed: Promise<void> | null = null;
  const close = (graceMs = 0): Promise<void> => {
    closed ??= runtime.close(graceMs).then(() => store.close());
    return closed;
  };
  onTestFinished(() => close());
  const opened: TestRuntime = {
    runtime,
    clock,
    store,
    path,
    errors,
    close,
    async run(document, input = {}) {
      const { workflowId } = await runtime.register(CALLER, document);
      return (await runtime.start(CALLER, { workflowId, input })).executionId;
    },
    async settled(id) {
      const enough = AbortSignal.timeout(PATIENCE_MS);
      const view = await runtime.settled('default', id, 60_000, enough);
      if (enough.aborted)
        throw new Error(`${id} is still ${view.status}: ${JSON.stringify(await opened.timeline(id))} ${String(errors)}`);
      return view;
    },
    async log(id) {
      const events: EventView[] = [];
      for await (const event of runtime.events('default', id)) events.push(event);
      return events;
    },
    async timeline(id) {
      return (await opened.log(id)).map((event) => (event.nodeId === null ? event.type : `${event.type} ${event.nodeId}`));
    },
  };
  return opened;
}

/** Resolves when the condition holds; checks it at each turn of the event loop. For effects without a notification. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  // Limited by time, not by turns: a thread or a socket may need thousands of turns.
  const untilMs = performance.now() + PATIENCE_MS;
  for (let turns = 0; !(await condition()); turns += 1) {
    if (performance.now() > untilMs) throw new Error('the condition did not become true in time');
    // What takes longer gets the processor.
    await new Promise<void>((resolve) => (turns < TURNS_AT_ONCE ? setImmediate(resolve) : setTimeout(resolve, 1)));
  }
}
