import type { Json } from '../../../../machines/json.ts';
import type { Message, Visit } from '../../../../machines/messages.ts';
import { definitionOf } from '../../../../machines/nodes/index.ts';
import { BUDGET_EXCEEDED, budgetExceededMessage, callOf, workOf } from '../../../../machines/step/index.ts';
import { StoreError } from '../../../../store/port/errors.ts';
import { WorkError } from '../../../executors/executor.ts';
import type { RuntimeContext } from '../../context.ts';
import type { Deliver } from '../../engine/deliver.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ExecutionStart } from '../../engine/envelope.ts';
import { executionStart } from '../../engine/execution-start.ts';
import type { CachedExecution } from '../../engine/loading/cached-execution.ts';
import type { WorkflowCache } from '../../engine/loading/workflow-cache.ts';
import { RuntimeError } from '../../errors.ts';
import type { Traces } from '../../traces.ts';
import { type Descendants, ROOT_LABEL } from './descendants.ts';
import { visitLabels } from './visit-labels.ts';

/** The deepest nesting of subgraphs. */
const MAX_DEPTH = 16;

export interface ChildrenOptions extends Pick<RuntimeContext, 'slices' | 'clock' | 'ids' | 'actor' | 'onError'> {
  readonly workflows: WorkflowCache;
  readonly engine: Engine;
  readonly deliver: Deliver;
  readonly descendants: Descendants;
  readonly traces: Traces;
}

/** Starts child executions. */
export class Children {
  readonly #options: ChildrenOptions;

  constructor(options: ChildrenOptions) {
    this.#options = options;
  }

  /**
   * Starts the child of a subgraph node, of an item of a list, or of a call of a durable function. The child and the `started` message to its parent are one unit: the parent has a child,
   * or there is none. A workflow that is not registered, or too deep a nesting, fails the node without retries.
   */
  async spawn(parent: CachedExecution, visit: Visit): Promise<void> {
    const { engine, deliver, actor, onError } = this.#options;
    try {
      const child = await this.#childStart(parent, visit);
      const message: Message = {
        type: 'child',
        ...visit,
        childId: child.id,
        childWorkflowId: child.identity.workflowId,
        change: { status: 'started' },
      };
      await engine.send(parent.id, message, { actor }, child);
    } catch (error) {
      if (error instanceof StoreError || (error instanceof RuntimeError && error.code === 'overloaded')) throw error;
      // Any other error is a defect, which another attempt would meet again.
      if (!(error instanceof RuntimeError || error instanceof WorkError)) onError(error);
      void deliver(parent.id, {
        type: 'fail',
        ...visit,
        error: error instanceof Error ? error.message : String(error),
        errorClass: (error instanceof WorkError ? error.errorClass : null) ?? 'validation',
        retryable: false,
        unbegun: true,
      });
    }
  }

  async #childStart(parent: CachedExecution, visit: Visit): Promise<ExecutionStart> {
    const { workflows, descendants, traces, slices, clock, ids } = this.#options;
    const kind = parent.loaded.kindOf(visit.node);
    const call = callOf(parent.run, visit);
    const workflow = call ?? (kind === null ? null : definitionOf(kind).childWorkflow(kind));
    if (workflow === null) throw new RuntimeError('corrupt', `node ${visit.node} has no child execution`);
    if (parent.identity.depth + 1 > MAX_DEPTH)
      throw new RuntimeError(
        'bad_request',
        `${call === null ? 'subgraphs' : 'calls of workflows'} are nested more than ${MAX_DEPTH} deep`,
      );
    const root = rootOf(parent);
    await descendants.admit(parent.tenantId, root);
    const loaded = await workflows.find(parent.tenantId, workflow.ref, workflow.version);
    if (loaded === null) {
      const version = workflow.version === undefined ? '' : ` v${workflow.version}`;
      throw new RuntimeError('not_found', `workflow ${workflow.ref}${version} is not registered`);
    }
    await slices.slice(parent.tenantId).next();
    const input = call === null ? renderedInput(parent, visit) : call.input;
    if (loaded.assertInput !== null) await loaded.assertInput(input);
    const nowMs = clock.nowMs();
    return executionStart({
      id: ids.execution(nowMs),
      tenantId: parent.tenantId,
      loaded,
      startedBy: parent.identity.startedBy,
      traceparent: traces.ofAttempt(parent, visit),
      input,
      nowMs,
      parent: { id: parent.id, depth: parent.identity.depth },
      labels: { ...visitLabels(visit), [ROOT_LABEL]: root },
    });
  }
}

function renderedInput({ id, loaded, run }: CachedExecution, visit: Visit): Json {
  const { input, inputErrors, inputExceeded } = workOf(loaded.program, run, visit, { executionId: id, vars: loaded.vars });
  if (inputExceeded !== undefined)
    throw new WorkError(budgetExceededMessage(inputExceeded), { retryable: false, errorClass: BUDGET_EXCEEDED });
  if (inputErrors.length > 0) throw new RuntimeError('bad_request', `the input cannot be rendered: ${inputErrors.join('; ')}`);
  return input;
}

function rootOf({ id, identity: { parentId, labels } }: CachedExecution): string {
  return parentId === null ? id : ((JSON.parse(labels) as Readonly<Record<string, string>>)[ROOT_LABEL] ?? id);
}
