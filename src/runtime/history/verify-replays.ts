import type { Status } from '../../../machines/run.ts';
import type { ExecutionRow } from '../../../store/port/executions.ts';
import type { Store } from '../../../store/port/store.ts';
import { NO_AGENTS } from '../../executors/a2a/directory.ts';
import { RemoteAgents } from '../../executors/a2a/remote-agents.ts';
import { McpConnections } from '../../executors/mcp/connections.ts';
import { TokenExchange } from '../../executors/oauth/delegation.ts';
import { Outbound } from '../../executors/outbound/index.ts';
import { systemClock } from '../clock.ts';
import { WorkflowCache } from '../engine/loading/workflow-cache.ts';
import { BuiltInMemory } from '../memory/built-in.ts';
import { isToBeErased } from '../redaction/shown-run.ts';
import { TimeSlices } from '../scheduling/time-slices.ts';
import { Threads } from '../threads/threads.ts';
import { ThreadTurns } from '../threads/turns.ts';
import { compareWithReplay, storedCheckpoints } from './compare-with-replay.ts';

const PAGE_SIZE = 100;
const LIVE_STATUSES: readonly Status[] = ['pending', 'running', 'paused'];

/** The result of replaying one execution. */
export interface ReplayCheck {
  readonly tenantId: string;
  readonly executionId: string;
  readonly workflowId: string;
  /** The first difference from what is stored; null = none. */
  readonly difference: string | null;
}

/**
 * Replays every live execution of all tenants (`all`: ended ones too) and compares the results with what is stored. Holds one execution in
 * memory at a time. Safe while runtimes work on the database, since logged events do not change; an execution that ends or is removed
 * meanwhile is compared as it ended, or skipped.
 */
export async function* verifyReplays(store: Store, { all }: { readonly all: boolean }): AsyncGenerator<ReplayCheck> {
  const slices = new TimeSlices({ nowMs: Date.now });
  // Only compiles workflows; no executor is ever called.
  const outbound = new Outbound({ allowPrivateAddresses: false });
  const workflows = new WorkflowCache(store, {
    toolsOf: () => ({}),
    varsOf: () => ({}),
    outbound,
    models: { settings: {}, allowlistOf: async () => [] },
    mcpConnections: new McpConnections({ serversOf: () => ({}), outbound }),
    agents: new RemoteAgents({ outbound, directory: NO_AGENTS }),
    coordinatorUrl: undefined,
    memory: new BuiltInMemory({ store, clock: systemClock, slices, mayStore: () => null }),
    threads: new Threads({ store, clock: systemClock, mayStore: () => null }),
    threadTurns: new ThreadTurns(store),
    memoryConnectorsOf: () => ({}),
    tokenExchange: new TokenExchange(outbound, async () => null),
  });
  for await (const { tenantId, id, workflowId } of executionsOf(store, all)) {
    const difference = await differenceOf(store, workflows, slices, id);
    if (difference !== undefined) yield { tenantId, executionId: id, workflowId, difference };
  }
}

async function* executionsOf(store: Store, all: boolean): AsyncGenerator<ExecutionRow> {
  for (let offset = 0; ; offset += PAGE_SIZE) {
    const tenants = await store.tenants.list({ limit: PAGE_SIZE, offset });
    for (const { id } of tenants) {
      const tenant = store.tenant(id);
      let after: string | null | undefined;
      while (after !== null) {
        const page = await tenant.executions({
          limit: PAGE_SIZE,
          ...(all ? {} : { statuses: LIVE_STATUSES }),
          ...(after === undefined ? {} : { after }),
        });
        yield* page.rows;
        after = page.next;
      }
    }
    if (tenants.length < PAGE_SIZE) return;
  }
}

/** Undefined if the execution has been removed. */
async function differenceOf(
  store: Store,
  workflows: WorkflowCache,
  slices: TimeSlices,
  id: string,
): Promise<string | null | undefined> {
  try {
    const checkpoints = await storedCheckpoints(store, id);
    const row = await store.execution(id);
    if (row === null) return undefined;
    const { program } = await workflows.load(row.tenantId, row.revision);
    // What its log could be replayed from has been erased, or is about to be.
    if (isToBeErased(program, row.status)) return null;
    return (await compareWithReplay(store, program, row, checkpoints, slices.slice(id)))?.problem ?? null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
