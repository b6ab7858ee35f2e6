import type { ActiveNode } from '../../../machines/run.ts';
import type { SnapshotView } from '../../runtime/types/history.ts';
import { requireAccess } from '../auth/authenticator.ts';
import { toForkedFrom } from '../forked-from.ts';
import { toMismatch, toPastDecision } from '../replies/fork-views.ts';
import { idempotencyKey } from '../requests/idempotency-key.ts';
import { executionId } from '../requests/ids.ts';
import { ById, defined } from '../schemas/fields.ts';
import {
  ForkCheck,
  ForkExecution,
  ForkedExecution,
  ForkQuery,
  type PastActiveNode,
  PastState,
  ReplayedExecution,
  type Snapshot,
  SnapshotList,
  SnapshotsQuery,
  StateQuery,
} from '../schemas/history.ts';
import { type Api, callerOf, identityOf, type Services } from '../services.ts';
import { timestamp } from '../time.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 500;

/** Executions as they were, and going on from there: the log is the truth. */
export function historyRoutes(app: Api, { runtime, polls }: Services): void {
  app.get(
    '/executions/:id/state',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Read the state at an earlier point',
        description:
          'What a server that stopped there had stored: the state after the last step that had ended at or before `at` (within the first step: after that). Reads the log up to there.',
        tags: ['Executions'],
        operationId: 'getExecutionState',
        params: ById,
        querystring: StateQuery,
        response: { 200: PastState },
      },
    },
    async (request, reply) => {
      const { tenantId } = identityOf(request);
      const id = executionId(request.params.id);
      const at = request.query.at ?? (await runtime.execution(tenantId, id)).sequence;
      const past = await polls.run(reply, (signal) => runtime.stateAt(tenantId, id, at, signal));
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
        summary: 'Read the machine after every step',
        description:
          'Page by page from the start: what moved the machine, where it was then, and the state. As it was at the time, also where a retry has forgiven a failure since. To go on, pass the `sequence` of the last one as `after`.',
        tags: ['Executions'],
        operationId: 'listExecutionSnapshots',
        params: ById,
        querystring: SnapshotsQuery,
        response: { 200: SnapshotList },
      },
    },
    async (request, reply) => {
      const { tenantId } = identityOf(request);
      const id = executionId(request.params.id);
      const { after = 0 } = request.query;
      const limit = Math.min(request.query.limit ?? DEFAULT_LIMIT, MAX_LIMIT);
      const page = await polls.run(reply, (signal) => runtime.snapshots(tenantId, id, { after, limit }, signal));
      const { sequence, status, snapshots } = page;
      return { execution_id: id, sequence, status, snapshots: snapshots.map(toSnapshot), limit };
    },
  );

  app.get(
    '/executions/:id/replay',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Fold the log again and compare with what is stored',
        description: 'Nothing is asked of the world: no tool, no worker, no other server.',
        tags: ['Executions'],
        operationId: 'replayExecution',
        params: ById,
        response: { 200: ReplayedExecution },
      },
    },
    async (request, reply) => {
      const { tenantId } = identityOf(request);
      const id = executionId(request.params.id);
      const replayed = await polls.run(reply, (signal) => runtime.replay(tenantId, id, signal));
      const { events, sequence, mismatch } = replayed;
      return { execution_id: id, events, sequence, matches: mismatch === null, ...defined('mismatch', mismatch) };
    },
  );

  app.post(
    '/executions/:id/fork',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Start an execution that goes on from a point of another',
        description:
          'It has the log up to there; what was under way begins anew, times are set anew from now. `dry_run` answers 200 and only says whether the log fits `workflow_version`, and which decisions of persons it has. 409 when the execution had ended there, when the log does not fit, or (`decision_would_change`) when a person decided on something else than the patched state.',
        tags: ['Executions'],
        operationId: 'forkExecution',
        params: ById,
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
      void reply.code(201);
      return { execution_id: forked.executionId, forked_from };
    },
  );
}

function toActiveNode({ node, phase, attempt, activation, waitsForCapacity }: ActiveNode): PastActiveNode {
  return { node_id: node, phase: waitsForCapacity === true ? 'waiting_for_capacity' : phase, attempt, activation };
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
