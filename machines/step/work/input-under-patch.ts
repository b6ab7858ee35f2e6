import { canonicalJson, type JsonObject, patchState } from '../../json.ts';
import type { Visit } from '../../messages.ts';
import type { Run, StepEnv } from '../../run.ts';
import type { Context } from '../context/context.ts';
import type { Program } from '../program.ts';
import { workOf } from './work.ts';

/** Would `patch` on the state change the input of a node, or of one of its items, that is in progress? */
export function inputUnderPatch(
  program: Program,
  run: Run,
  visit: Pick<Visit, 'node' | 'item'>,
  patch: JsonObject,
  env: Pick<StepEnv, 'executionId' | 'vars'>,
): 'same' | 'other' {
  const context = run.snapshot.context as Context;
  if (context.active.get(visit.node, visit.item) === undefined) return 'other';
  const patched = { ...context, state: patchState(context.state, patch) };
  const hypothetical = { ...run, snapshot: { ...run.snapshot, context: patched } } as Run;
  const [before, after] = [run, hypothetical].map((each) => canonicalJson(workOf(program, each, visit, env).input));
  return before === after ? 'same' : 'other';
}
