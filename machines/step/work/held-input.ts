import type { Json } from '../../json.ts';
import { charsUpTo } from '../../json-size.ts';
import type { Run } from '../../run.ts';
import type { Program } from '../program.ts';
import { workOf } from './work.ts';

/** A larger input is not shown. */
const MAX_CHARS = 65_536;

/**
 * What a node that awaits approval would be given, from the state as it is; variables of the environment are null. Undefined = its workflow says
 * nothing (it is given the state), or it is too large.
 */
export function heldInput(program: Program, run: Run, node: string, executionId: string): Json | undefined {
  const { tables } = program;
  if (tables.template(tables.graph.indexOf(node) ?? -1) === null) return undefined;
  const { input } = workOf(program, run, node, { executionId, vars: {} });
  return charsUpTo(input, MAX_CHARS) <= MAX_CHARS ? input : undefined;
}
