import { subjectOf } from '../../../machines/policy.ts';
import { LogMismatch, replayForRetry } from '../../../machines/replay/index.ts';
import { type Run, TERMINAL, type TenantPolicy } from '../../../machines/run.ts';
import { continuedAs, exceededBudgetOf, failuresOf, resettableFailures, terminalFailures } from '../../../machines/step/index.ts';
import { actorOf } from '../actor.ts';
import { LIMITS } from '../engine/limits/limits.ts';
import type { CachedExecution } from '../engine/loading/cached-execution.ts';
import { notReplayable } from '../engine/loading/execution-loader.ts';
import { AlreadyRunning, RuntimeError } from '../errors.ts';
import { readTail } from '../log/read-log.ts';
import { erasedError } from '../redaction/original-events.ts';
import { isToBeErased } from '../redaction/shown-run.ts';
import { startKeyIn } from '../start-labels.ts';
import type { Runtime } from '../types/runtime.ts';
import { type CommandContext, endedError, runCommand, withinQuotas } from './command.ts';

/**
 * Replays the log from its start without the failures that ended the run. The retry continues from there, unless the execution
 * has moved on meanwhile.
 */
export function retryCommand(context: CommandContext): Runtime['retry'] {
  const { engine, executions } = context;
  return (caller, id) =>
    runCommand(context, caller, { work: 'adds' }, async () => {
      const execution = await executions.load(caller.tenantId, id);
      if (continuedAs(execution.run) !== undefined) throw await endedError(context, caller, id);
      const nodes = failedNodes(execution, context.quotas.policies.of(caller.tenantId));
      const outcome = await withinQuotas(context, caller.tenantId, id, async () => {
        const retryFrom = await replayWithoutFailures(context, execution, nodes);
        if (TERMINAL.has(retryFrom.status))
          throw refusal(id, `node(s) ${nodes.join(', ')} only choose where to go on, and would fail again`);
        const sent = await engine.send(id, { type: 'retry' }, { actor: actorOf(caller), retryFrom });
        if ('refused' in sent && sent.refused === 'over_budget') throw overBudget(execution, retryFrom);
        return sent;
      });
      if (!('refused' in outcome)) return { nodes: namesIn(outcome.events[0]?.data.nodes) };
      if (outcome.refused === 'key') throw await keyTaken(context, execution);
      const { status } = await executions.execution(caller.tenantId, id);
      throw new RuntimeError('conflict', `execution ${id} has been retried already: it is ${status}`);
    });
}

/** Another execution has started with the key since this one failed. */
async function keyTaken({ store }: CommandContext, { id, tenantId, identity }: CachedExecution): Promise<RuntimeError> {
  const key = startKeyIn(identity.labels) ?? '';
  const holder = await store.tenant(tenantId).keyHolder({ workflowId: identity.workflowId, key });
  return holder === null ? refusal(id, `its key '${key}' has just become free: try again`) : new AlreadyRunning(holder, key);
}

async function replayWithoutFailures(
  { store, slices, runtimeId, stepLimit }: CommandContext,
  { id, tenantId, loaded, run }: CachedExecution,
  nodes: readonly string[],
): Promise<Run> {
  const { events } = await readTail(store, tenantId, id, 0, run.seq, undefined, LIMITS.retriedLogBytes);
  try {
    const replay = replayForRetry(loaded.program, events, nodes, { executionId: id, stepLimit, runtimeId });
    return await slices.drive(slices.slice(tenantId), replay);
  } catch (cause) {
    throw cause instanceof LogMismatch ? notReplayable(id, cause) : cause;
  }
}

/** The nodes that would run again. Throws `conflict`, with the reason, when the execution cannot be retried. */
function failedNodes({ id, identity, run, loaded }: CachedExecution, policy: TenantPolicy | null): readonly string[] {
  const { parentId } = identity;
  if (isToBeErased(loaded.program, run.status)) throw erasedError(id);
  const refuse = (reason: string): RuntimeError => refusal(id, reason);
  if (run.status !== 'failed') throw refuse(`it is ${run.status}, and only failed executions can be`);
  if (parentId !== null)
    throw refuse(
      `it is a child of execution ${parentId}, which has continued without it; a retry of the parent starts a new child`,
    );
  if (terminalFailures(run).length === 0) throw refuse(`it failed as a whole (${run.error ?? 'unknown'}), not by a node`);
  const nodes = resettableFailures(run);
  if (nodes.length === 0) {
    const exceeded = exceededBudgetOf(loaded.program, run) ?? 'budget exceeded';
    const left = failuresOf(run).join(', ');
    throw refuse(`its budget (${exceeded}) has sent it to another node, and it does not come back to node(s) ${left}`);
  }
  const { tables } = loaded.program;
  const blocked = nodes.filter((node) => {
    const own = tables.verdicts.get(node) ?? null;
    if (own?.decision === 'blocked') return true;
    return policy?.verdict(node, subjectOf(tables.nodeOf(node)), own)?.decision === 'blocked';
  });
  if (blocked.length > 0) throw refuse(`node(s) ${blocked.join(', ')} are blocked by policy, and would be again`);
  return nodes;
}

/** Work beside the workflow, or its finalizers, have used what was left. */
function overBudget({ id, loaded: { program } }: CachedExecution, run: Run): RuntimeError {
  return refusal(id, `it would be ended by its budget (${exceededBudgetOf(program, run) ?? 'exceeded'})`);
}

function refusal(id: string, reason: string): RuntimeError {
  return new RuntimeError('conflict', `execution ${id} cannot be retried: ${reason}`);
}

function namesIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
