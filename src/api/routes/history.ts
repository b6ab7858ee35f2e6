import type { ActiveNode } from '../../../machines/run.ts';
import { requireAccess } from '../auth/identity.ts';
import { Verbatim } from '../operations/codec.ts';
import { HISTORY, SNAPSHOTS_PAGE } from '../operations/history.ts';
import { toMismatch, toPastDecision } from '../replies/fork-views.ts';
import { idempotencyKey } from '../requests/idempotency-key.ts';
import { executionId } from '../requests/ids.ts';
import { warnOfIgnored } from '../requests/warnings.ts';
import { defined, limitOf } from '../schemas/fields.ts';
import { implement } from './implement.ts';

/** Executions at earlier points of their log, and forks from there. */
export const historyRoutes = implement(HISTORY, {
  'GET /executions/:id/state': async ({ params, query, tenantId, reply }, { runtime, polls }) => {
    const id = executionId(params.id);
    const at = query.at ?? (await runtime.execution(tenantId, id)).sequence;
    const past = await polls.run(reply, ({ signal }) => runtime.stateAt(tenantId, id, at, signal));
    return { ...past, active: past.active.map(activeNode) };
  },

  'GET /executions/:id/snapshots': async ({ params, query: { after = 0, ...query }, tenantId, reply }, { runtime, polls }) => {
    const id = executionId(params.id);
    const limit = limitOf(query.limit, SNAPSHOTS_PAGE);
    const page = await polls.run(reply, ({ signal }) => runtime.snapshots(tenantId, id, { after, limit }, signal));
    const snapshots = page.snapshots.map((snapshot) => {
      const { active, state, stepsExecuted, error } = snapshot;
      return { ...snapshot, context: { state, active: active.map(activeNode), stepsExecuted, error } };
    });
    return { ...page, snapshots, limit };
  },

  'GET /executions/:id/replay': async ({ params, tenantId, reply }, { runtime, polls }) => {
    const id = executionId(params.id);
    const replayed = await polls.run(reply, ({ signal }) => runtime.replay(tenantId, id, signal));
    const { redacted, mismatch } = replayed;
    return { ...replayed, matches: mismatch === null, redacted: redacted || null };
  },

  'POST /executions/:id/fork': async ({ params, query, body, identity, caller, request, reply }, { runtime }) => {
    const id = executionId(params.id);
    const { atSequence, statePatch, workflowVersion, dryRun, keepDecisions } = body;
    if (keepDecisions === true) requireAccess(identity.role, 'operator');
    const forked = await runtime.fork(caller, id, {
      atSequence,
      ...defined('statePatch', statePatch),
      ...defined('workflowVersion', workflowVersion),
      ...defined('dryRun', query.dryRun ?? dryRun),
      ...defined('keepDecisions', keepDecisions),
      ...defined('idempotencyKey', idempotencyKey(request.headers)),
    });
    const { sequence } = forked;
    if (forked.executionId === null) {
      const { mismatch, decisions } = forked;
      void reply.code(200);
      return new Verbatim({
        forked_from: { execution_id: id, sequence },
        fits: mismatch === null,
        ...defined('mismatch', mismatch === null ? null : toMismatch(mismatch)),
        decisions: decisions.map(toPastDecision),
      });
    }
    if (forked.replayed) void reply.header('idempotency-replayed', 'true');
    warnOfIgnored(request, reply, 'state_patch', forked.ignored);
    return { executionId: forked.executionId, forkedFrom: { executionId: id, sequence } };
  },
});

/** Phases that have other names in the API. */
const PHASES: Readonly<Partial<Record<ActiveNode['phase'], string>>> = { awaiting_approval: 'held', deferred: 'kept' };

function activeNode({ node: nodeId, phase, attempt, activation, item, waitsForCapacity }: ActiveNode) {
  const name = waitsForCapacity === true ? 'waiting_for_capacity' : (PHASES[phase] ?? phase);
  return { nodeId, phase: name, attempt, activation, ...defined('item', item) };
}
