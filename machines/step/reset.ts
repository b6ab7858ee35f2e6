import type { Json } from '../json.ts';
import { approvalStateId, stateId } from '../program/state-ids.ts';
import type { ProgramTables } from '../program/tables.ts';
import type { Run } from '../run.ts';
import type { Configuration } from './configuration.ts';
import type { Context } from './context/context.ts';
import { StepContext } from './context/step-context.ts';
import type { Program } from './program.ts';

/** The error of an execution that failed because of its nodes alone. */
export function failureMessage(failures: readonly string[]): string {
  return `node(s) failed terminally: ${failures.join(', ')}`;
}

/** Nodes that failed for good, without a fallback. */
export function failuresOf(run: Run): readonly string[] {
  return (run.snapshot.context as Context).failures;
}

/** Nodes whose failure ended the execution; empty if it has not failed, or was ended by something else, such as a budget or the step limit. */
export function terminalFailures(run: Run): readonly string[] {
  const { failures } = run.snapshot.context as Context;
  return run.status === 'failed' && run.error === failureMessage(failures) ? failures : [];
}

/**
 * Undoes the last failure of a node: the machine stays where it was, and the node takes no message until `retry`. Other effects of the step
 * on the state remain (`patch`, of a decision). `since` is the sequence of the node's `node_failed`.
 */
export function resetFailure(program: Program, run: Run, node: string, since: number, patch: Json | undefined): Run {
  const step = new StepContext(program.tables, run.snapshot.context as Context, run.seq, null);
  const { activation, attempt } = step.activeOf(node);
  step.patchState(patch);
  step.setActive(node, { activation, attempt, phase: 'failed', since });
  const context = step.freeze();
  return { ...run, snapshot: { ...run.snapshot, context }, seq: since, localWork: context.active.localWork, knownSize: null };
}

/** The positions of a machine, with the given nodes moved back to the state in which a visit to them begins. */
export function resetPositions(
  configuration: Configuration,
  nodes: ReadonlySet<string>,
  tables: ProgramTables,
): readonly string[] {
  return configuration.all().map(({ id, node: { meta } }) => {
    const node: unknown = meta?.node;
    if (typeof node !== 'string' || !nodes.has(node)) return id;
    const name = stateId(node);
    return tables.hasApprovalState(node) ? approvalStateId(name) : name;
  });
}
