import { LRUCache } from 'lru-cache';
import { compileCooperatively } from '../../../../machines/compile/index.ts';
import { fullSchema, inputSchemaOf } from '../../../../machines/ir/input-schema.ts';
import { normaliseCooperatively } from '../../../../machines/ir/normalise.ts';
import type { Node, Workflow } from '../../../../machines/ir/workflow.ts';
import type { Json, JsonObject } from '../../../../machines/json.ts';
import { definitionOf, type Kind, runsChild } from '../../../../machines/nodes/index.ts';
import type { Program } from '../../../../machines/step/program.ts';
import type { ExecutionStore } from '../../../../store/port/execution-store.ts';
import { RecentlyUsed } from '../../../../store/recently-used.ts';
import type { RemoteAgents } from '../../../executors/a2a/remote-agents.ts';
import type { Executor } from '../../../executors/executor.ts';
import { inputCheck } from '../../../executors/input-schema.ts';
import type { McpConnections } from '../../../executors/mcp/connections.ts';
import type { MemoryConnectors, ToolMemory } from '../../../executors/memory/connector.ts';
import type { Models } from '../../../executors/model/ask.ts';
import type { TokenExchange } from '../../../executors/oauth/delegation.ts';
import { withAccessToken } from '../../../executors/oauth/with-access-token.ts';
import type { Outbound } from '../../../executors/outbound/index.ts';
import { executorFor } from '../../../executors/registry.ts';
import type { ToolThread } from '../../../executors/threads/message.ts';
import { RuntimeError, truncated } from '../../errors.ts';
import { type Attempt, AttemptMemory } from '../../memory/attempt-memory.ts';
import type { BuiltInMemory } from '../../memory/built-in.ts';
import { FairQueue } from '../../scheduling/fair-queue.ts';
import { TimeSlices } from '../../scheduling/time-slices.ts';
import { AttemptThread } from '../../threads/attempt-thread.ts';
import type { Threads } from '../../threads/threads.ts';
import type { ThreadTurns } from '../../threads/turns.ts';
import type { Tools } from '../../types/work.ts';

/** A compiled machine takes about 10 KB per node. */
const MAX_CACHED_NODES = 20_000;
const MAX_CACHED_REVISIONS = 10_000;
/** Revisions that are compiled at a time. Executions to step wait without limit. */
const COMPILING = {
  active: 2,
  activePerKey: 1,
  waiting: Number.POSITIVE_INFINITY,
  waitingPerKey: Number.POSITIVE_INFINITY,
};

/** A compiled revision, and what this runtime provides for it to the tenant. */
export interface LoadedWorkflow {
  readonly program: Program;
  readonly kindOf: (node: string) => Kind | null;
  /** Does the node's work in process; null = an external worker or a child execution does. */
  readonly executorOf: (node: string) => Executor | null;
  /** Does this runtime do the node's work in process, or start its child? */
  readonly isLocal: (node: string) => boolean;
  /** Throws `invalid_input` if an execution may not start with this input; null = it may start with any. */
  readonly assertInput: ((input: Json) => Promise<void>) | null;
  /** Throws `invalid_input` if the input does not fit the state schema, for a start that asks for it; null = it has none. */
  readonly assertFits: ((input: Json) => Promise<void>) | null;
  /** What is wrong with the payload of an event, by the schemas of the nodes that wait for its key; null = nothing. */
  readonly payloadProblem: ((key: string, payload: Json) => Promise<string | null>) | null;
  /** The variables of the `env` root of expressions. */
  readonly vars: Readonly<Record<string, string>>;
  /** The tenant's memory for one attempt. */
  readonly memoryFor: (attempt: Attempt) => ToolMemory;
  /** A thread of the tenant for one attempt. */
  readonly threadFor: (attempt: Pick<Attempt, 'tenantId'>, id: string) => ToolThread;
  /** Begins an attempt's turn in a thread of the tenant. `leave` ends it. */
  readonly beginTurn: ThreadTurns['begin'];
}

/** What the operator provides to each tenant. Read once per tenant and revision, so it must not change. */
export interface TenantProvisions {
  readonly toolsOf: (tenantId: string) => Tools;
  readonly varsOf: (tenantId: string) => Readonly<Record<string, string>>;
  readonly outbound: Outbound;
  readonly models: Models;
  readonly mcpConnections: McpConnections;
  readonly agents: RemoteAgents;
  readonly coordinatorUrl: string | undefined;
  readonly memory: BuiltInMemory;
  readonly threads: Threads;
  readonly threadTurns: ThreadTurns;
  readonly memoryConnectorsOf: (tenantId: string) => MemoryConnectors;
  readonly tokenExchange: TokenExchange;
}

/**
 * Compiled revisions by hash, and loaded ones also by tenant: tenants may register the same document and have different tools.
 */
export class WorkflowCache {
  readonly #store: ExecutionStore;
  readonly #provisions: TenantProvisions;
  readonly #slices: TimeSlices;
  readonly #compiling = new FairQueue('too many workflows are being compiled', COMPILING);
  readonly #programs = new LRUCache<string, Program>({
    maxSize: MAX_CACHED_NODES,
    sizeCalculation: ({ workflow }) => workflow.nodes.length + 1,
  });
  readonly #loaded = new LRUCache<string, LoadedWorkflow>({
    maxSize: MAX_CACHED_NODES,
    sizeCalculation: ({ program }) => program.workflow.nodes.length + 1,
  });
  readonly #loading = new Map<string, Promise<LoadedWorkflow>>();
  /** Revisions by tenant, workflow and version. Empty on a shared database, where any process may register another one. */
  readonly #revisions = new RecentlyUsed<string, string>(MAX_CACHED_REVISIONS);
  /** Counts registrations: a revision that was read before one must not enter the cache after it. */
  #registrations = 0;

  constructor(store: ExecutionStore, provisions: TenantProvisions, slices = new TimeSlices({ nowMs: Date.now })) {
    this.#store = store;
    this.#provisions = provisions;
    this.#slices = slices;
  }

  /** A version of a workflow by its name, the latest by default; null = it is not registered. Throws like `load`. */
  async find(tenantId: string, workflowId: string, version?: string): Promise<LoadedWorkflow | null> {
    const revision = await this.#revisionOf(tenantId, workflowId, version);
    return revision === null ? null : this.load(tenantId, revision);
  }

  /** The functions that the operator gives a tenant, by name. */
  toolsOf(tenantId: string): Tools {
    return this.#provisions.toolsOf(tenantId);
  }

  /** Like `find`, but null also when the store has to be asked. */
  findCached(tenantId: string, workflowId: string, version?: string): LoadedWorkflow | null {
    const revision = this.#revisions.get(nameKey(tenantId, workflowId, version));
    return revision === undefined ? null : (this.#loaded.get(keyOf(tenantId, revision)) ?? null);
  }

  async #revisionOf(tenantId: string, workflowId: string, version: string | undefined): Promise<string | null> {
    const before = this.#registrations;
    const revision = await this.#store.tenant(tenantId).revisionOf(workflowId, version);
    if (revision !== null && !this.#store.shared && before === this.#registrations)
      this.#revisions.set(nameKey(tenantId, workflowId, version), revision);
    return revision;
  }

  /** A registration by this process has been committed. */
  registered(tenantId: string, program: Program): LoadedWorkflow {
    this.#registrations += 1;
    this.#revisions.clear();
    return this.put(tenantId, program);
  }

  /** Throws `corrupt` when the stored revision is missing or this version cannot compile it. */
  async load(tenantId: string, revision: string): Promise<LoadedWorkflow> {
    const key = keyOf(tenantId, revision);
    const loaded = this.#loaded.get(key);
    if (loaded !== undefined) return loaded;
    const loading = this.#loading.get(key);
    if (loading !== undefined) return loading;
    const load = this.#read(tenantId, revision).finally(() => this.#loading.delete(key));
    this.#loading.set(key, load);
    return load;
  }

  put(tenantId: string, program: Program): LoadedWorkflow {
    const { nodes, tools: declared, mcp_servers, remote_agents, oauth, state_schema: stateSchema } = program.workflow;
    const {
      toolsOf,
      varsOf,
      outbound,
      models,
      mcpConnections,
      agents,
      coordinatorUrl,
      memory,
      threads,
      threadTurns,
      memoryConnectorsOf,
      tokenExchange,
    } = this.#provisions;
    const vars = varsOf(tenantId);
    const kinds = new Map(nodes.map((node) => [node.id, node.kind]));
    const children = new Set(nodes.flatMap(({ id, kind }) => (runsChild(kind) ? [id] : [])));
    const connectors = memoryConnectorsOf(tenantId);
    const mcp = { connections: mcpConnections, declared: mcp_servers, vars };
    const deps = {
      tools: toolsOf(tenantId),
      outbound,
      vars,
      models,
      mcp,
      agents: { agents, declared: remote_agents, vars },
      coordinatorUrl,
    };
    const executorOf = ({ kind, oauth_scopes: scopes }: Node): Executor | null => {
      const execute = executorFor(kind, declared, deps);
      if (execute === null || scopes === null || oauth === null) return execute;
      return withAccessToken(execute, tokenExchange, { oauth, vars, scopes });
    };
    const executors = new Map(nodes.map((node) => [node.id, executorOf(node)]));
    const loaded: LoadedWorkflow = {
      program,
      kindOf: (node) => kinds.get(node) ?? null,
      executorOf: (node) => executors.get(node) ?? null,
      isLocal: (node) => (executors.get(node) ?? null) !== null || children.has(node),
      assertInput: inputAssertion(program.workflow, inputSchemaOf(program.workflow)),
      assertFits: inputAssertion(program.workflow, stateSchema === null ? null : fullSchema(stateSchema)),
      payloadProblem: payloadCheck(program),
      vars,
      memoryFor: (attempt) => new AttemptMemory(memory, connectors, attempt),
      threadFor: (attempt, id) => new AttemptThread(threads, attempt, id),
      beginTurn: threadTurns.begin.bind(threadTurns),
    };
    this.#programs.set(program.revision, program);
    this.#loaded.set(keyOf(tenantId, program.revision), loaded);
    return loaded;
  }

  async #read(tenantId: string, revision: string): Promise<LoadedWorkflow> {
    const source = await this.#store.revision(tenantId, revision);
    if (source === null) throw new RuntimeError('corrupt', `workflow revision ${revision} not found in the store`);
    const compiled = this.#programs.get(revision);
    if (compiled !== undefined) return this.put(tenantId, compiled);
    let program: Program;
    try {
      program = await this.#compiling.run(
        tenantId,
        async () => this.#programs.get(revision) ?? this.#compile(tenantId, source, revision),
      );
    } catch (cause) {
      throw new RuntimeError('corrupt', `workflow revision ${revision} cannot be compiled by this version`, { cause });
    }
    return this.put(tenantId, program);
  }

  #compile(tenantId: string, source: string, revision: string): Promise<Program> {
    return this.#slices.drive(this.#slices.slice(`${tenantId} load`), programOf(source, revision));
  }
}

function nameKey(tenantId: string, workflowId: string, version: string | undefined): string {
  return `${tenantId}\0${workflowId}${version === undefined ? '' : `\0${version}`}`;
}

function keyOf(tenantId: string, revision: string): string {
  return `${revision} ${tenantId}`;
}

function* programOf(source: string, revision: string): Generator<undefined, Program> {
  const { workflow } = yield* normaliseCooperatively(JSON.parse(source));
  yield;
  return yield* compileCooperatively(workflow, revision, { registered: true });
}

function inputAssertion({ workflow_id: id }: Workflow, schema: JsonObject | null): LoadedWorkflow['assertInput'] {
  if (schema === null) return null;
  const check = inputCheck(schema);
  return async (input) => {
    const problem = await check(input).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw new RuntimeError('invalid_input', `the state schema of ${id} cannot check inputs: ${truncated(reason)}`, {
        cause: error,
      });
    });
    if (problem !== null) throw new RuntimeError('invalid_input', `the input does not fit the state schema of ${id}: ${problem}`);
  };
}

/** A payload must fit the schema of one of the nodes that wait for its key; one of them without a schema takes any. */
function payloadCheck({ workflow }: Program): LoadedWorkflow['payloadProblem'] {
  const waits = workflow.nodes.flatMap(({ id, kind }) => {
    const definition = definitionOf(kind);
    const key = definition.waitsForEvent(kind);
    const schema = definition.eventSchema(kind);
    return key === null ? [] : [{ id, key, check: schema === null ? null : inputCheck(schema) }];
  });
  if (waits.every(({ check }) => check === null)) return null;
  return async (key, payload) => {
    let problem: string | null = null;
    for (const { id, check } of waits.filter((wait) => wait.key === key)) {
      const found = check === null ? null : await check(payload);
      if (found === null) return null;
      problem ??= `the payload does not fit the schema of ${id}: ${found}`;
    }
    return problem;
  };
}
