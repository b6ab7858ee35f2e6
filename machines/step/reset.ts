import { approvalStateId, stateId } from '../program/state-ids.ts';
import type { ProgramTables } from '../program/tables.ts';
import type { Run } from '../run.ts';
import type { Configuration } from './configuration.ts';
import type { Context } from './context/context.ts';

/** Begins the error of an execution that failed because of its nodes alone; their names follow. */
export const FAILED_NODES = 'node(s) failed terminally: ';

/** The error of an execution that failed because of its nodes alone. */
export function failureMessage(context: Context): string {
  return `${FAILED_NODES}${allFailures(context).join(', ')}`;
}

/** Nodes that failed for good, without a fallback. */
export function failuresOf(run: Run): readonly string[] {
  return allFailures(run.snapshot.context as Context);
}

/** Nodes whose failure ended the execution; empty if it has not failed, or was ended by something else, such as a budget or the step limit. */
export function terminalFailures(run: Run): readonly string[] {
  const context = run.snapshot.context as Context;
  return run.status === 'failed' && run.error === failureMessage(context) ? allFailures(context) : [];
}

/** Those of them that a retry resets: not the failures of nodes that the execution has left because of a budget. */
export function resettableFailures(run: Run): readonly string[] {
  return terminalFailures(run).length === 0 ? [] : (run.snapshot.context as Context).failures;
}

function allFailures({ abandoned, failures }: Context): readonly string[] {
  return abandoned === undefined ? failures : [...abandoned, ...failures];
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
    return beginningOf(node, tables);
  });
}

/** The state in which a visit to a node begins. */
export function beginningOf(node: string, tables: ProgramTables): string {
  const name = stateId(node);
  return tables.hasApprovalState(node) ? approvalStateId(name) : name;
}
