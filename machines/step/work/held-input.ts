import type { Json } from '../../json.ts';
import { charsUpTo } from '../../json-size.ts';
import type { Visit } from '../../messages.ts';
import type { Run } from '../../run.ts';
import type { Program } from '../program.ts';
import { workOf } from './work.ts';

/** A larger input is not shown. */
const MAX_CHARS = 65_536;

/**
 * What a node, or an item of its list, that awaits approval would be given, from the state as it is; variables of the environment are null. Undefined = its workflow says
 * nothing (it is given the state), or it is too large.
 */
export function heldInput(
  program: Program,
  run: Run,
  visit: Pick<Visit, 'node' | 'item'>,
  executionId: string,
): Json | undefined {
  const { tables } = program;
  if (tables.template(tables.graph.indexOf(visit.node) ?? -1) === null && visit.item === undefined) return undefined;
  const { input } = workOf(program, run, visit, { executionId, vars: {} });
  return charsUpTo(input, MAX_CHARS) <= MAX_CHARS ? input : undefined;
}
