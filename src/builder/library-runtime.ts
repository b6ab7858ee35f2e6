import type { Caller } from '../runtime/types/caller.ts';
import type { StartRequest, StartResult } from '../runtime/types/executions.ts';
import type { Runtime } from '../runtime/types/runtime.ts';
import type { Tools } from '../runtime/types/work.ts';
import { WORKFLOW, type WorkflowDefinition, type WorkflowTypes } from './definition.ts';
import type { ExecutionEvent } from './events.ts';
import { executionOf, type StartedExecution, type StartOptions, typedEvents } from './execution.ts';
import { plainJson } from './spelling.ts';

/** A runtime of the library. It also starts workflows from their definitions, and types the events. */
export interface LibraryRuntime extends Omit<Runtime, 'start' | 'events' | 'subscribe'> {
  start(...request: Parameters<Runtime['start']>): ReturnType<Runtime['start']>;
  /**
   * Registers the workflow, with those that its subgraphs were given as definitions, and starts an execution of it. A definition that calls
   * functions of this process must have been given to `createRuntime({ workflows })`, so that they are there when a later process continues
   * the execution. Rejects with `InvalidWorkflow`, and as the other form does.
   *
   * @example
   * const execution = await runtime.start(greeting, { name: 'Ada' });
   * const { status, state } = await execution.settled();
   */
  // The last form: a misspelt key of an input is reported against the last one.
  start<Types extends WorkflowTypes>(
    workflow: WorkflowDefinition<Types>,
    input: NoInfer<Types['input']>,
    options?: StartOptions,
  ): Promise<StartedExecution<Types>>;
  events(...page: Parameters<Runtime['events']>): AsyncIterable<ExecutionEvent>;
  subscribe(...options: Parameters<Runtime['subscribe']>): AsyncIterable<ExecutionEvent>;
}

const LIBRARY: Caller = { tenantId: 'default', actorId: 'library', actorType: 'system' };

/** The functions of definitions. Throws `TypeError` if two of them call different functions by one name. */
export function toolsOfWorkflows(workflows: readonly WorkflowDefinition[]): Tools {
  const tools: Record<string, Tools[string]> = {};
  for (const { id, tools: own } of workflows) {
    for (const [name, tool] of Object.entries(own)) {
      if ((tools[name] ?? tool) !== tool)
        throw new TypeError(
          `workflow "${id}" calls another function as "${name}" than the workflows before it: rename one of the two`,
        );
      tools[name] = tool;
    }
  }
  return tools;
}

/** `toolsOf`: the functions that the runtime has for a tenant. */
export function libraryRuntime(runtime: Runtime, toolsOf: (tenantId: string) => Tools): LibraryRuntime {
  const registered = new WeakMap<WorkflowDefinition, Map<string, Promise<unknown>>>();

  /** Once for each tenant; again if that failed. */
  async function register(caller: Caller, workflow: WorkflowDefinition): Promise<void> {
    const tenants = registered.get(workflow) ?? new Map<string, Promise<unknown>>();
    registered.set(workflow, tenants);
    const known = tenants.get(caller.tenantId);
    const registering = known ?? runtime.register(caller, workflow.document);
    tenants.set(caller.tenantId, registering);
    await registering.catch((error: unknown) => {
      tenants.delete(caller.tenantId);
      throw error;
    });
  }

  async function startWorkflow(workflow: WorkflowDefinition, input: unknown, options: StartOptions = {}) {
    const { caller = LIBRARY, ...rest } = options;
    const { document } = workflow;
    const tools = toolsOf(caller.tenantId);
    const missing = Object.keys(workflow.tools).find((name) => !Object.hasOwn(tools, name));
    if (missing !== undefined)
      throw new TypeError(
        `workflow "${workflow.id}" calls the function "${missing}", which this runtime does not have: give the workflow to createRuntime({ workflows })`,
      );
    for (const definition of [...workflow.subworkflows, workflow]) await register(caller, definition);
    const request = { workflowId: workflow.id, version: String(document.version), input: plainJson(input), ...rest };
    return executionOf(runtime, caller, await runtime.start(caller, request));
  }

  function start(first: Caller | WorkflowDefinition, second: unknown, options?: StartOptions): Promise<StartResult> {
    if (WORKFLOW in first) return startWorkflow(first, second, options);
    return runtime.start(first, second as StartRequest);
  }

  return Object.assign(Object.create(runtime) as Runtime, {
    start: start as LibraryRuntime['start'],
    events: (...page: Parameters<Runtime['events']>) => typedEvents(runtime.events(...page)),
    subscribe: (...options: Parameters<Runtime['subscribe']>) => typedEvents(runtime.subscribe(...options)),
  });
}
