import type { AnyMachineSnapshot } from 'xstate';
import type { Program } from '../compile/index.ts';
import { approvalStateId, stateId } from '../compile/state-ids.ts';
import type { ProgramTables } from '../compile/tables.ts';
import type { Json } from '../json.ts';
import type { Run } from '../run.ts';
import { type Context, localWorkOf } from './context.ts';
import { StepContext } from './step-context.ts';
import { positionsOf } from './stepper.ts';

/** Why a run has failed that nodes failed, and nothing else. */
export function failureMessage(failures: readonly string[]): string {
  return `node(s) failed terminally: ${failures.join(', ')}`;
}

/** Nodes that failed for good, and no fallback took over. */
export function failuresOf(run: Run): readonly string[] {
  return (run.snapshot.context as Context).failures;
}

/** Nodes whose failure ended a run; none when it has not failed, or something else ended it: a budget, the step limit. */
export function terminalFailures(run: Run): readonly string[] {
  const { failures } = run.snapshot.context as Context;
  return run.status === 'failed' && run.error === failureMessage(failures) ? failures : [];
}

/**
 * Takes the last failure of a node as if it had not failed it: the node stands where it stood, deaf to everything, until `retry`. What
 * else the step did to the state (`patch`, of a decision) stays. `since` is the sequence of its `node_failed`.
 */
export function resetFailure(program: Program, run: Run, node: string, since: number, patch: Json | undefined): Run {
  const step = new StepContext(program.tables, run.snapshot.context as Context, run.seq, null);
  const { activation, attempt } = step.activeOf(node);
  step.patchState(patch);
  step.setActive(node, { activation, attempt, phase: 'failed', since });
  const context = step.freeze();
  const snapshot = { ...run.snapshot, context } as AnyMachineSnapshot;
  return { ...run, snapshot, seq: since, localWork: localWorkOf(context) };
}

/** The positions of a snapshot, but with nodes back in the state in which a visit to them begins. */
export function resetPositions(
  snapshot: AnyMachineSnapshot,
  nodes: ReadonlySet<string>,
  tables: ProgramTables,
): readonly string[] {
  const entries = new Map<string, string>();
  for (const { id, meta } of snapshot._nodes) {
    const node: unknown = meta?.node;
    if (typeof node !== 'string' || !nodes.has(node)) continue;
    const name = stateId(node);
    entries.set(id, tables.verdicts.get(node)?.decision === 'require_approval' ? approvalStateId(name) : name);
  }
  return positionsOf(snapshot).map((id) => entries.get(id) ?? id);
}
