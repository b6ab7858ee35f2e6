import { compileCooperatively } from '../../machines/compile/index.ts';
import { InvalidWorkflow } from '../../machines/diagnostics.ts';
import type { Json, JsonObject } from '../../machines/json.ts';
import type { Decide, ExternalEvent } from '../../machines/messages.ts';
import { reservedLabel } from '../../machines/reserved-labels.ts';
import { revisionOf } from '../../machines/revision.ts';
import type { Refused } from '../../machines/run.ts';
import { validateCooperatively } from '../../machines/validate/index.ts';
import type { ExecutionStore } from '../../store/port/execution-store.ts';
import { actorOf } from './actor.ts';
import type { Clock } from './clock.ts';
import { idempotentRequest, responseRow, storedResponse } from './commands/idempotency.ts';
import type { Engine } from './engine/engine.ts';
import type { MessageOutcome } from './engine/envelope.ts';
import { executionStart } from './engine/execution-start.ts';
import { starterFrom } from './engine/loading/starter.ts';
import type { LoadedWorkflow, WorkflowCache } from './engine/loading/workflow-cache.ts';
import { RuntimeError, truncated } from './errors.ts';
import type { Ids } from './ids.ts';
import type { Queries } from './queries/queries.ts';
import type { Quotas } from './quotas/quotas.ts';
import { FairQueue } from './scheduling/fair-queue.ts';
import type { TimeSlices } from './scheduling/time-slices.ts';
import type { Caller } from './types/caller.ts';
import type { Decision, RegisteredWorkflow, StartRequest } from './types/executions.ts';

/** Workflows that are validated and compiled at a time: each may take 50 MB meanwhile. */
const COMPILING = { active: 2, activePerKey: 1, waiting: 256, waitingPerKey: 128 };

export interface IntakeOptions {
  readonly store: ExecutionStore;
  readonly slices: TimeSlices;
  readonly programs: WorkflowCache;
  readonly loop: Engine;
  readonly reads: Queries;
  readonly quotas: Quotas;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** What clients may ask for: register, start, decide, send, cancel. Every answer waits for the commit. */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #compiling = new FairQueue('too many workflows are being registered', COMPILING);

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  async register(caller: Caller, document: unknown): Promise<RegisteredWorkflow> {
    const { store, slices, programs, quotas, clock } = this.#options;
    const { actorId, actorType, request } = actorOf(caller);
    const { tenantId } = caller;
    const { workflow, program, revision, diagnostics } = await this.#compiling.run(tenantId, () =>
      slices.drive(slices.slice(tenantId), compiled(document)),
    );
    await quotas.register(tenantId, workflow.workflow_id, () =>
      store.control(
        {
          type: 'workflow_registered',
          workflowId: workflow.workflow_id,
          version: workflow.version,
          revision,
          source: JSON.stringify(workflow.source),
        },
        { tenantId, atMs: clock.nowMs(), actorId, actorType, request },
      ),
    );
    programs.put(tenantId, program);
    return { workflow_id: workflow.workflow_id, version: workflow.version, revision, warnings: diagnostics };
  }

  async start(caller: Caller, request: StartRequest): Promise<{ readonly executionId: string; readonly replayed: boolean }> {
    const { store, loop, quotas, clock, ids } = this.#options;
    const labels = { ...request.labels, ...request.systemLabels };
    const asked: Json = {
      workflow_id: request.workflowId,
      workflow_version: request.version ?? null,
      input: request.input ?? {},
      labels,
    };
    const once =
      request.idempotencyKey === undefined
        ? null
        : idempotentRequest(caller.tenantId, 'executions', request.idempotencyKey, asked);
    const earlier = once === null ? null : await storedResponse(store, once);
    if (earlier !== null) return { executionId: executionIdOf(earlier), replayed: true };

    const reserved = reservedLabel(request.labels ?? {});
    if (reserved !== undefined)
      throw new RuntimeError(
        'bad_request',
        `label ${truncated(reserved)} is reserved: only the runtime sets labels that begin with jamjet.`,
      );
    const loaded = await this.#workflow(caller.tenantId, request);
    const nowMs = clock.nowMs();
    const id = ids.execution(nowMs);
    const birth = executionStart({
      id,
      tenantId: caller.tenantId,
      loaded,
      startedBy: starterFrom(caller),
      input: request.input ?? {},
      nowMs,
      parent: null,
      labels,
    });
    await quotas.admit(caller.tenantId, id);
    let outcome: MessageOutcome;
    try {
      outcome = await loop.startExecution(birth, {
        actor: actorOf(caller),
        ...(once === null ? {} : { idempotencyRow: () => responseRow(once, 201, { execution_id: id }, nowMs) }),
      });
    } finally {
      quotas.release(caller.tenantId, id);
    }
    if (!('refused' in outcome)) return { executionId: id, replayed: false };
    if (outcome.refused === 'idempotency' && once !== null) {
      const answer = await storedResponse(store, once);
      if (answer !== null) return { executionId: executionIdOf(answer), replayed: true };
    }
    throw new RuntimeError('conflict', `execution could not be started: ${outcome.refused}`);
  }

  async #workflow(tenantId: string, request: StartRequest): Promise<LoadedWorkflow> {
    const revision = await this.#options.store.tenant(tenantId).revisionOf(request.workflowId, request.version);
    if (revision === null) {
      throw new RuntimeError(
        'not_found',
        `workflow ${truncated(request.workflowId)}${request.version === undefined ? '' : ` v${request.version}`}`,
      );
    }
    return this.#options.programs.load(tenantId, revision);
  }

  async cancel(caller: Caller, id: string, reason: string): Promise<void> {
    await this.#options.reads.find(caller.tenantId, id);
    const outcome = await this.#options.loop.send(id, { type: 'cancel', reason }, { actor: actorOf(caller), urgent: true });
    if (!('refused' in outcome)) return;
    const { status } = await this.#options.reads.execution(caller.tenantId, id);
    throw new RuntimeError('already_terminal', `execution ${id} is already in terminal state: ${status}`);
  }

  async approve(caller: Caller, id: string, decision: Decision): Promise<{ readonly nodeId: string }> {
    if (decision.decision !== 'approved' && decision.decision !== 'rejected') {
      throw new RuntimeError('bad_request', `unknown decision: ${decision.decision}`);
    }
    await this.#options.reads.find(caller.tenantId, id);
    const message: Decide = {
      type: 'decide',
      decision: decision.decision,
      userId: decision.userId ?? caller.actorId,
      comment: decision.comment ?? null,
      patch: decision.statePatch ?? null,
      ...(decision.nodeId === undefined || decision.nodeId === '' ? {} : { node: decision.nodeId }),
    };
    const origin = actorOf(caller, decision.userId);
    const outcome = await this.#options.loop.send(id, message, { actor: origin });
    if ('refused' in outcome) throw await this.#refusedDecision(caller.tenantId, id, message, outcome);
    return { nodeId: outcome.node ?? '' };
  }

  async #refusedDecision(
    tenantId: string,
    id: string,
    message: Decide,
    outcome: MessageOutcome & { refused: string },
  ): Promise<RuntimeError> {
    const { nodes } = outcome as Refused;
    switch (outcome.refused) {
      case 'terminal': {
        const { status } = await this.#options.reads.execution(tenantId, id);
        return new RuntimeError('conflict', `execution is ${status}; approvals can no longer be decided`);
      }
      case 'several_pending_approvals':
        return new RuntimeError('bad_request', `multiple approvals pending (${nodes.join(', ')}); specify node_id`);
      case 'no_pending_approval_on_node':
        return new RuntimeError('conflict', `node '${message.node}' has no pending approval (unknown or already decided)`);
      default:
        return new RuntimeError('conflict', 'no pending approval on this execution');
    }
  }

  async sendEvent(
    caller: Caller,
    id: string,
    event: { readonly key: string; readonly payload: Json; readonly idempotencyKey?: string },
  ): Promise<{ readonly matched: boolean; readonly nodeId: string | null }> {
    const { store, loop, reads, clock } = this.#options;
    await reads.find(caller.tenantId, id);
    const asked: Json = { correlation_key: event.key, payload: event.payload };
    const once =
      event.idempotencyKey === undefined
        ? null
        : idempotentRequest(caller.tenantId, `external-event:${id}`, event.idempotencyKey, asked);
    const earlier = once === null ? null : await storedResponse(store, once);
    if (earlier !== null) return matchOf(earlier);

    const message: ExternalEvent = { type: 'event', key: event.key, payload: event.payload };
    const outcome = await loop.send(id, message, {
      actor: actorOf(caller),
      ...(once === null ? {} : { idempotencyRow: (stepped) => responseRow(once, 200, { node_id: stepped.node }, clock.nowMs()) }),
    });
    if (!('refused' in outcome)) return { matched: outcome.node !== null, nodeId: outcome.node };
    // The same request may have come before this one, whatever this one is refused for: also when it was the last event the execution took.
    const answer = once === null ? null : await storedResponse(store, once);
    if (answer !== null) return matchOf(answer);
    const { status } = await reads.execution(caller.tenantId, id);
    throw new RuntimeError('conflict', `execution is ${status}; it takes no more events`);
  }
}

/** A document as the program that it is; throws `InvalidWorkflow`. */
function* compiled(document: unknown) {
  const { workflow, diagnostics } = yield* validateCooperatively(document);
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error');
  if (workflow === null || errors.length > 0) throw new InvalidWorkflow(errors);
  yield;
  const revision = revisionOf(workflow);
  yield;
  return { workflow, diagnostics, revision, program: yield* compileCooperatively(workflow, revision) };
}

function executionIdOf(answer: Json): string {
  return String((answer as JsonObject).execution_id);
}

function matchOf(answer: Json): { readonly matched: boolean; readonly nodeId: string | null } {
  const { node_id } = answer as { readonly node_id: string | null };
  return { matched: node_id !== null, nodeId: node_id };
}
