import type { ActiveNode } from '../../../machines/run.ts';
import type { SnapshotView } from '../../runtime/types/history.ts';
import { requireAccess } from '../auth/identity.ts';
import { ExecutionById } from '../operations/executions.ts';
import {
  ForkCheck,
  ForkExecution,
  ForkedExecution,
  ForkQuery,
  type PastActiveNode,
  PastState,
  ReplayedExecution,
  SNAPSHOTS_PAGE,
  type Snapshot,
  SnapshotList,
  SnapshotsQuery,
  StateQuery,
} from '../operations/history.ts';
import { toForkedFrom, toMismatch, toPastDecision } from '../replies/fork-views.ts';
import { idempotencyKey } from '../requests/idempotency-key.ts';
import { executionId } from '../requests/ids.ts';
import { warnOfIgnored } from '../requests/warnings.ts';
import { defined, limitOf } from '../schemas/fields.ts';
import { type Api, callerOf, identityOf, type Services } from '../services.ts';
import { timestamp } from '../time.ts';

/** Executions at earlier points of their log, and forks from there. */
export function historyRoutes(app: Api, { runtime, polls }: Services): void {
  app.get(
    '/executions/:id/state',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Get the state at an earlier point',
        description:
          'The state after the last step that had ended at or before event `at`; within the first step, the state after it. Replays the log up to that point.',
        tags: ['Executions'],
        operationId: 'getExecutionState',
        params: ExecutionById,
        querystring: StateQuery,
        response: { 200: PastState },
      },
    },
    async (request, reply) => {
      const { tenantId } = identityOf(request);
      const id = executionId(request.params.id);
      const at = request.query.at ?? (await runtime.execution(tenantId, id)).sequence;
      const past = await polls.run(reply, ({ signal }) => runtime.stateAt(tenantId, id, at, signal));
      const { sequence, requested, status, state, active, createdAtMs } = past;
      const under = active.map(toActiveNode);
      return { execution_id: id, sequence, requested, status, state, active: under, created_at: timestamp(createdAtMs) };
    },
  );

  app.get(
    '/executions/:id/snapshots',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List the states of the machine after every step',
        description:
          'Oldest first: the machine events of the step, the state value after it, and the state. Failures that a later retry reset are shown as they were. Pass the `sequence` of the last snapshot as `after` to get the next page.',
        tags: ['Executions'],
        operationId: 'listExecutionSnapshots',
        params: ExecutionById,
        querystring: SnapshotsQuery,
        response: { 200: SnapshotList },
      },
    },
    async (request, reply) => {
      const { tenantId } = identityOf(request);
      const id = executionId(request.params.id);
      const { after = 0 } = request.query;
      const limit = limitOf(request.query.limit, SNAPSHOTS_PAGE);
      const page = await polls.run(reply, ({ signal }) => runtime.snapshots(tenantId, id, { after, limit }, signal));
      const { sequence, status, snapshots } = page;
      return { execution_id: id, sequence, status, snapshots: snapshots.map(toSnapshot), limit };
    },
  );

  app.get(
    '/executions/:id/replay',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Replay the log and compare the result with what is stored',
        description: 'No tool, worker or other server is called.',
        tags: ['Executions'],
        operationId: 'replayExecution',
        params: ExecutionById,
        response: { 200: ReplayedExecution },
      },
    },
    async (request, reply) => {
      const { tenantId } = identityOf(request);
      const id = executionId(request.params.id);
      const replayed = await polls.run(reply, ({ signal }) => runtime.replay(tenantId, id, signal));
      const { events, sequence, redacted, mismatch } = replayed;
      return {
        execution_id: id,
        events,
        sequence,
        matches: mismatch === null,
        ...(redacted ? { redacted } : {}),
        ...defined('mismatch', mismatch),
      };
    },
  );

  app.post(
    '/executions/:id/fork',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Fork an execution',
        description:
          'Starts an execution that continues from a point of another one. It has a copy of the log up to that point; active nodes begin again, and timers are set again from now. `dry_run` returns 200 and only reports whether the log fits `workflow_version` and which decisions the fork would include. 409 if the execution had ended by then, if the log does not fit, or (`decision_would_change`) if a person decided on something else than the patched state.',
        tags: ['Executions'],
        operationId: 'forkExecution',
        params: ExecutionById,
        querystring: ForkQuery,
        body: ForkExecution,
        response: { 200: ForkCheck, 201: ForkedExecution },
      },
    },
    async (request, reply) => {
      const id = executionId(request.params.id);
      const { at_sequence, state_patch, workflow_version, dry_run, keep_decisions } = request.body;
      if (keep_decisions === true) requireAccess(identityOf(request).role, 'operator');
      const forked = await runtime.fork(callerOf(request), id, {
        atSequence: at_sequence,
        ...defined('statePatch', state_patch),
        ...defined('workflowVersion', workflow_version),
        ...defined('dryRun', request.query.dry_run ?? dry_run),
        ...defined('keepDecisions', keep_decisions),
        ...defined('idempotencyKey', idempotencyKey(request.headers)),
      });
      const forked_from = toForkedFrom({ executionId: id, sequence: forked.sequence });
      if (forked.executionId === null) {
        const { mismatch } = forked;
        return {
          forked_from,
          fits: mismatch === null,
          ...defined('mismatch', mismatch === null ? null : toMismatch(mismatch)),
          decisions: forked.decisions.map(toPastDecision),
        };
      }
      if (forked.replayed) void reply.header('idempotency-replayed', 'true');
      warnOfIgnored(request, reply, 'state_patch', forked.ignored);
      void reply.code(201);
      return { execution_id: forked.executionId, forked_from };
    },
  );
}

/** Phases that have other names in the API. */
const PHASES: Readonly<Partial<Record<ActiveNode['phase'], string>>> = { awaiting_approval: 'held', deferred: 'kept' };

function toActiveNode({ node, phase, attempt, activation, waitsForCapacity }: ActiveNode): PastActiveNode {
  const name = waitsForCapacity === true ? 'waiting_for_capacity' : (PHASES[phase] ?? phase);
  return { node_id: node, phase: name, attempt, activation };
}

function toSnapshot({
  sequence,
  createdAtMs,
  events,
  status,
  value,
  state,
  active,
  stepsExecuted,
  error,
}: SnapshotView): Snapshot {
  return {
    sequence,
    created_at: timestamp(createdAtMs),
    events: [...events],
    status,
    value,
    context: { state, active: active.map(toActiveNode), steps_executed: stepsExecuted, ...defined('error', error) },
  };
}
