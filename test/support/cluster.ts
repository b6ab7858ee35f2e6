import { setTimeout } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { Json, JsonObject } from '../../machines/json.ts';
import { HEARTBEAT_MS } from '../../src/runtime/heartbeats.ts';
import { createRuntime } from '../../src/runtime/index.ts';
import type { ServerRuntimeOptions } from '../../src/runtime/options.ts';
import type { EventView, ExecutionView } from '../../src/runtime/types/executions.ts';
import type { ServerRuntime } from '../../src/runtime/types/server-runtime.ts';
import type { Store } from '../../store/port/store.ts';
import { FakeClock } from './clock.ts';
import { PATIENCE_MS } from './patience.ts';
import type { PostgresDatabase } from './postgres.ts';
import { CALLER } from './runtimes.ts';

/** One of several runtimes on one database, with its own connection and clock. */
export interface ClusterMember {
  readonly runtime: ServerRuntime;
  readonly store: Store;
  readonly clock: FakeClock;
  readonly errors: unknown[];
  /** Stops its clock, so that the other runtimes consider it lost. */
  freeze(): void;
  /** Sets its clock to the current time. */
  thaw(): Promise<void>;
  run(document: JsonObject, input?: Json): Promise<string>;
  settled(id: string): Promise<ExecutionView>;
  log(id: string): Promise<readonly EventView[]>;
  close(graceMs?: number): Promise<void>;
}

interface ConnectionOptions {
  readonly url?: string;
  readonly listenUrl?: string;
}

export interface TestCluster {
  /** `url` and `listenUrl` override how the runtime connects to the database and where it listens for notifications. */
  join(options?: Partial<Omit<ServerRuntimeOptions, 'store' | 'clock'>> & ConnectionOptions): Promise<ClusterMember>;
  /** Advances the clocks of all members that are not frozen, one heartbeat interval at a time. */
  advance(ms: number): Promise<void>;
}

export function openCluster(database: PostgresDatabase): TestCluster {
  const members = new Set<{
    readonly clock: FakeClock;
    frozen: boolean;
    readonly runtime: ServerRuntime;
    readonly store: Store;
  }>();
  let nowMs = new FakeClock().nowMs();
  return {
    async join({ url, listenUrl, ...options } = {}) {
      const clock = new FakeClock(nowMs);
      const connection = { ...(url === undefined ? {} : { url }), ...(listenUrl === undefined ? {} : { listenUrl }) };
      const store = await database.open(connection);
      const errors: unknown[] = [];
      const runtime = await createRuntime({ ...options, store, clock, onError: (error) => errors.push(error) });
      const member = { clock, frozen: false, runtime, store };
      members.add(member);
      let closed: Promise<void> | null = null;
      const close = (graceMs = 0): Promise<void> => {
        members.delete(member);
        closed ??= runtime.close(graceMs).then(() => store.close());
        return closed;
      };
      onTestFinished(() => close());
      const log = async (id: string): Promise<readonly EventView[]> => {
        const events: EventView[] = [];
        for await (const event of runtime.events('default', id)) events.push(event);
        return events;
      };
      return {
        runtime,
        store,
        clock,
        errors,
        freeze: () => {
          member.frozen = true;
        },
        thaw: async () => {
          member.frozen = false;
          const sinceMs = clock.nowMs() + 1;
          clock.advance(nowMs - clock.nowMs());
          await waitUntil(async () => (await store.activeRuntimes(sinceMs)).includes(runtime.id));
        },
        async run(document, input = {}) {
          const { workflowId } = await runtime.register(CALLER, document);
          return (await runtime.start(CALLER, { workflowId, input })).executionId;
        },
        async settled(id) {
          const enough = AbortSignal.timeout(PATIENCE_MS);
          const view = await runtime.settled('default', id, 60_000, enough);
          if (!enough.aborted) return view;
          const timeline = (await log(id)).map((event) => `${event.type} ${event.nodeId ?? ''}`);
          throw new Error(`${id} is still ${view.status}: ${timeline.join(', ')} ${String(errors)}`);
        },
        log,
        close,
      };
    },
    async advance(ms) {
      for (let left = ms; left > 0; left -= HEARTBEAT_MS) {
        nowMs += Math.min(left, HEARTBEAT_MS);
        const awake = [...members].filter((member) => !member.frozen);
        for (const { clock } of awake) clock.advance(nowMs - clock.nowMs());
        for (const { runtime, store } of awake) {
          await waitUntil(async () => (await store.activeRuntimes(nowMs - HEARTBEAT_MS + 1)).includes(runtime.id));
        }
      }
    },
  };
}

const POLL_MS = 5;

/** Resolves once the condition holds. Polls in real time, because database replies do not depend on the fake clock. */
export async function waitUntil(condition: () => boolean | Promise<boolean>, withinMs = PATIENCE_MS): Promise<void> {
  const untilMs = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > untilMs) throw new Error('the condition did not become true in time');
    await setTimeout(POLL_MS);
  }
}

/** Like `waitUntil`, but also advances the member's clock, no faster than real time, so that timeouts are not shortened. */
export async function waitUntilWithClock(
  { clock }: Pick<ClusterMember, 'clock'>,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  await waitUntil(() => {
    clock.advance(POLL_MS);
    return condition();
  });
}
