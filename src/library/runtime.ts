import { isDefinition, type UntypedWorkflow, type WorkflowDefinition, type WorkflowTypes } from '../builder/definition.ts';
import type { ExecutionEvent } from '../builder/events.ts';
import { executionOf, type StartedExecution, type StartOptions, typedEvents } from '../builder/execution.ts';
import { plainJson } from '../builder/spelling.ts';
import type { CronJobs } from '../control/cron/jobs.ts';
import type { Caller } from '../runtime/types/caller.ts';
import type {
  EventsRequest,
  RegisteredWorkflow,
  StartRequest,
  StartResult,
  SubscribeOptions,
} from '../runtime/types/executions.ts';
import type { RuntimeMemory } from '../runtime/types/memory.ts';
import type { Runtime } from '../runtime/types/runtime.ts';
import type { RuntimeThreads } from '../runtime/types/threads.ts';
import type { Tools } from '../runtime/types/work.ts';
import { applySchedule, type ScheduledWorkflow, type Schedules, schedulesOf } from './schedules.ts';

type First = 'caller' | 'tenant';

/** What the methods of the runtime take first. */
const FIRST = {
  approvalInbox: 'tenant',
  approvals: 'tenant',
  approve: 'caller',
  cancel: 'caller',
  claim: 'caller',
  commitOperations: 'caller',
  complete: 'caller',
  deltas: 'tenant',
  enqueue: 'caller',
  errorGroups: 'tenant',
  events: 'tenant',
  execution: 'tenant',
  executionCounts: 'tenant',
  executions: 'tenant',
  fail: 'caller',
  fork: 'caller',
  heartbeat: 'caller',
  live: 'tenant',
  pause: 'caller',
  pendingApprovals: 'tenant',
  register: 'caller',
  replay: 'tenant',
  resume: 'caller',
  retry: 'caller',
  searchIds: 'tenant',
  sendEvent: 'caller',
  sendEventByKey: 'caller',
  sendUpdate: 'caller',
  settled: 'tenant',
  snapshots: 'tenant',
  start: 'caller',
  stateAt: 'tenant',
  subscribe: 'tenant',
  updateOutcome: 'tenant',
  waitingWork: 'tenant',
  workers: 'tenant',
} as const satisfies Record<Exclude<keyof Runtime, 'close' | 'id' | 'memory' | 'threads'>, First>;

const FIRST_OF_MEMORY = {
  add: 'caller',
  get: 'tenant',
  items: 'tenant',
  namespaces: 'tenant',
  remove: 'caller',
  search: 'tenant',
} as const satisfies Record<Exclude<keyof RuntimeMemory, 'removeExpired'>, First>;

const FIRST_OF_THREADS = {
  append: 'caller',
  get: 'tenant',
  list: 'tenant',
  messages: 'tenant',
  remove: 'caller',
} as const satisfies Record<keyof RuntimeThreads, First>;

/** Methods whose caller, or tenant, is given. */
type Bound<Methods, Name extends keyof Methods> = {
  readonly [Key in Name]: Methods[Key] extends (first: never, ...others: infer Others) => infer Result
    ? (...others: Others) => Result
    : never;
};

/** Texts that workflows and tools find by their words. */
export interface LibraryMemory extends Bound<RuntimeMemory, keyof typeof FIRST_OF_MEMORY>, Pick<RuntimeMemory, 'removeExpired'> {}

/** Conversations that agents and models read and continue. */
export interface LibraryThreads extends Bound<RuntimeThreads, keyof typeof FIRST_OF_THREADS> {}

/**
 * The runtime as one caller uses it, in the caller's tenant. When a promise resolves, what it reports is on disk.
 *
 * Errors are `RuntimeError` with a stable `code`, or `StoreError` while the store cannot be reached or is full. Methods that change something
 * reject with `overloaded` when too much work is waiting, and with `shutting_down` after `close`. Methods that name an execution or a work item
 * reject with `not_found` if the tenant has none of that id. The other codes are listed at each method.
 */
export interface CallerRuntime
  extends Bound<Omit<Runtime, 'memory' | 'threads'>, Exclude<keyof typeof FIRST, 'events' | 'register' | 'start' | 'subscribe'>> {
  readonly memory: LibraryMemory;
  readonly threads: LibraryThreads;
  readonly schedules: Schedules;
  /**
   * Registers the workflow, with those that it was given as definitions. What each says in `schedule` becomes one of `schedules`, which has the name of
   * its workflow and starts this version; one that says the same stays as it is, with its history and its pause. Registering a version again with another
   * content makes a new revision; executions keep the revision that they started with. Rejects with `InvalidWorkflow`, which lists every problem; with
   * `tenant_not_active`; and with `limit_exceeded_workflows` when the id is new and the tenant may not have another workflow.
   *
   * @example
   * const { schedules } = await runtime.register(report);
   * console.log(schedules[0]?.nextRunAtMs);
   */
  register(workflow: WorkflowDefinition, options?: RegisterOptions): Promise<RegisteredDefinition>;
  /** Validates, compiles and stores a workflow document, in any accepted spelling; see the other form. */
  register(document: unknown): Promise<RegisteredWorkflow>;
  /** Starts an execution of a registered workflow. Rejects as `Runtime.start` of a server does: `not_found`, `conflict`, `tenant_not_active`, `limit_exceeded_…`. */
  start(request: StartRequest): Promise<StartResult>;
  /**
   * Registers the workflow, with those that its subgraphs were given as definitions, and starts an execution of it. A definition that calls
   * functions of this process must have been given to `createRuntime({ workflows })`, so that they are there when a later process continues
   * the execution. An id stands for the last definition there that has it, or else for the version that was registered last. Rejects with
   * `InvalidWorkflow`, and as the other form does.
   *
   * @example
   * const execution = await runtime.start(greeting, { name: 'Ada' });
   * const { status, state } = await execution.settled();
   */
  // The last form: a misspelt key of an input is reported against the last one.
  start<Types extends WorkflowTypes = UntypedWorkflow>(
    workflow: WorkflowDefinition<Types> | string,
    input: NoInfer<Types['input']>,
    options?: StartOptions,
  ): Promise<StartedExecution<Types>>;
  /** The log so far, from the event after sequence `after` (default 0), read in pages as the consumer asks for them. */
  events(id: string, page?: EventsRequest): AsyncIterable<ExecutionEvent>;
  /**
   * The log from the event after sequence `after`, then live, without gaps, until the execution has ended, `signal` aborts or the runtime
   * stops.
   */
  subscribe(id: string, options?: SubscribeOptions): AsyncIterable<ExecutionEvent>;
}

/** How a definition is registered. */
export interface RegisterOptions {
  /** Whether what it says in `schedule` is applied. Default: true. */
  readonly schedules?: boolean;
}

/** A definition that was registered. */
export interface RegisteredDefinition extends RegisteredWorkflow {
  /** Those that the definition, and those that it was given, have now; empty if they have none, or with `schedules: false`. */
  readonly schedules: readonly ScheduledWorkflow[];
}

/** A runtime in this process. Its own methods are those of the caller `library` in tenant `default`. */
export interface LibraryRuntime extends CallerRuntime {
  /** The id of this runtime, e.g. in the list of workers. */
  readonly id: string;
  /**
   * The runtime for another caller, whom its events name, or for another tenant. It cannot be closed: it ends with this runtime.
   *
   * @example
   * await runtime.as({ tenantId: 'default', actorId: 'ann', actorType: 'human' }).approve(executionId, { decision: 'approved' });
   */
  as(caller: Caller): CallerRuntime;
  /**
   * Stops: refuses new work, lets in-process work finish for at most `graceMs` milliseconds (default 10,000), then aborts it and
   * hands it back. The next runtime on the store continues it. Does not close the store.
   */
  close(graceMs?: number): Promise<void>;
}

const LIBRARY: Caller = { tenantId: 'default', actorId: 'library', actorType: 'system' };

/** What the runtime of a program is made of. */
export interface LibraryParts {
  readonly runtime: Runtime;
  /** The functions that the runtime has for a tenant. */
  readonly toolsOf: (tenantId: string) => Tools;
  /** Definitions that are started by their ids. */
  readonly workflows: readonly WorkflowDefinition[];
  readonly cron: CronJobs;
  readonly nowMs: () => number;
  readonly close: (graceMs?: number) => Promise<void>;
}

export function libraryRuntime(parts: LibraryParts): LibraryRuntime {
  const { runtime, close } = parts;
  const registrations = new Registrations(runtime);
  const as = (caller: Caller): CallerRuntime => callerRuntime(parts, registrations, caller);
  return Object.assign(as(LIBRARY), { id: runtime.id, as, close });
}

function callerRuntime(
  { runtime, toolsOf, workflows, cron, nowMs }: LibraryParts,
  registrations: Registrations,
  caller: Caller,
): CallerRuntime {
  const own = bound(runtime, FIRST, caller);
  const schedules = schedulesOf(cron, caller, nowMs);

  async function registerDefinition(workflow: WorkflowDefinition, options: RegisterOptions): Promise<RegisteredDefinition> {
    const definitions = [...workflow.subworkflows, workflow];
    for (const definition of workflow.subworkflows) await registrations.register(caller, definition);
    const registered = await own.register(workflow.document);
    if (options.schedules === false) return { ...registered, schedules: [] };
    const applied: ScheduledWorkflow[] = [];
    for (const definition of definitions) {
      const schedule = await applySchedule(schedules, definition);
      if (schedule !== null) applied.push(schedule);
    }
    return { ...registered, schedules: applied };
  }

  const register = (given: unknown, options: RegisterOptions = {}): Promise<RegisteredWorkflow> =>
    isDefinition(given) ? registerDefinition(given, options) : own.register(given);

  async function startWorkflow(workflow: WorkflowDefinition, input: unknown, options?: StartOptions) {
    const tools = toolsOf(caller.tenantId);
    const missing = Object.keys(workflow.tools).find((name) => !Object.hasOwn(tools, name));
    if (missing !== undefined)
      throw new TypeError(
        `workflow "${workflow.id}" calls the function "${missing}", which this runtime does not have: give the workflow to createRuntime({ workflows })`,
      );
    for (const definition of [...workflow.subworkflows, workflow]) await registrations.register(caller, definition);
    return startRegistered({ workflowId: workflow.id, version: String(workflow.document.version) }, input, options);
  }

  async function startRegistered(
    workflow: Pick<StartRequest, 'workflowId' | 'version'>,
    input: unknown = {},
    options?: StartOptions,
  ) {
    const request = { ...workflow, input: plainJson(input), checkInput: true, ...options };
    return executionOf(runtime, caller, await runtime.start(caller, request));
  }

  function start(
    first: StartRequest | WorkflowDefinition | string,
    input?: unknown,
    options?: StartOptions,
  ): Promise<StartResult> {
    const known = typeof first === 'string' ? (workflows.findLast(({ id }) => id === first) ?? first) : first;
    if (isDefinition(known)) return startWorkflow(known, input, options);
    if (typeof known === 'string') return startRegistered({ workflowId: known }, input, options);
    if (typeof known?.workflowId === 'string') return own.start(known);
    const example = "runtime.start('greeting', { … })";
    return Promise.reject(
      new TypeError(`start needs a definition or the id of a workflow, and its input, or a request: ${example}`),
    );
  }

  return {
    ...own,
    memory: {
      ...bound(runtime.memory, FIRST_OF_MEMORY, caller),
      removeExpired: () => runtime.memory.removeExpired(),
    },
    threads: bound(runtime.threads, FIRST_OF_THREADS, caller),
    schedules,
    register: register as CallerRuntime['register'],
    start: start as CallerRuntime['start'],
    events: (...page) => typedEvents(own.events(...page)),
    subscribe: (...options) => typedEvents(own.subscribe(...options)),
  };
}

function bound<Methods, Name extends keyof Methods & string>(
  methods: Methods,
  firsts: Readonly<Record<Name, First>>,
  caller: Caller,
): Bound<Methods, Name> {
  const names = Object.keys(firsts) as Name[];
  const entries = names.map((name) => {
    const method = methods[name] as (first: Caller | string, ...others: unknown[]) => unknown;
    return [name, method.bind(methods, firsts[name] === 'caller' ? caller : caller.tenantId)];
  });
  return Object.fromEntries(entries) as Bound<Methods, Name>;
}

/** Registers each workflow once for each tenant; again if that failed. */
class Registrations {
  readonly #runtime: Runtime;
  readonly #registered = new WeakMap<WorkflowDefinition, Map<string, Promise<unknown>>>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  async register(caller: Caller, workflow: WorkflowDefinition): Promise<void> {
    const tenants = this.#registered.get(workflow) ?? new Map<string, Promise<unknown>>();
    this.#registered.set(workflow, tenants);
    const registering = tenants.get(caller.tenantId) ?? this.#runtime.register(caller, workflow.document);
    tenants.set(caller.tenantId, registering);
    await registering.catch((error: unknown) => {
      tenants.delete(caller.tenantId);
      throw error;
    });
  }
}
