import type { AnyMachineSnapshot } from 'xstate';
import { holdOf, stateId } from '../compile/names.ts';
import type { Statics } from '../compile/statics.ts';
import type { Program } from '../compile.ts';
import type { Json } from '../json.ts';
import type { Run } from '../run.ts';
import { type Context, localWorkOf } from './context.ts';
import { Draft } from './draft.ts';
import { positionsOf } from './stepper.ts';

/** Why a run has failed that nodes failed, and nothing else. */
export function failedBy(failures: readonly string[]): string {
  return `node(s) failed terminally: ${failures.join(', ')}`;
}

/** Nodes that failed for good, and no fallback took over. */
export function failuresOf(run: Run): readonly string[] {
  return (run.snapshot.context as Context).failures;
}

/** Nodes whose failure ended a run; none when it has not failed, or something else ended it: a budget, the step limit. */
export function fatalFailures(run: Run): readonly string[] {
  const { failures } = run.snapshot.context as Context;
  return run.status === 'failed' && run.error === failedBy(failures) ? failures : [];
}

/**
 * Takes the last failure of a node as if it had not failed it: the node stands where it stood, deaf to everything, until `retry`. What
 * else the step did to the state (`patch`, of a decision) stays. `since` is the sequence of its `node_failed`.
 */
export function forgive(program: Program, run: Run, node: string, since: number, patch: Json | undefined): Run {
  const draft = new Draft(program.statics, run.snapshot.context as Context);
  const { activation, attempt } = draft.activeOf(node);
  draft.patch(patch);
  draft.activate(node, { activation, attempt, phase: 'failed', since });
  const context = draft.done();
  const snapshot = { ...run.snapshot, context } as AnyMachineSnapshot;
  return { ...run, snapshot, seq: since, localWork: localWorkOf(context) };
}

/** The positions of a snapshot, but with nodes back in the state in which a visit to them begins. */
export function atTheirEntry(snapshot: AnyMachineSnapshot, nodes: ReadonlySet<string>, statics: Statics): readonly string[] {
  const entries = new Map<string, string>();
  for (const { id, meta } of snapshot._nodes) {
    const node: unknown = meta?.node;
    if (typeof node !== 'string' || !nodes.has(node)) continue;
    const name = stateId(node);
    entries.set(id, statics.verdicts.get(node)?.decision === 'require_approval' ? holdOf(name) : name);
  }
  return positionsOf(snapshot).map((id) => entries.get(id) ?? id);
}
