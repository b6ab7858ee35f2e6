import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { type AgentCall, isRejected, type RejectedCall } from '../../../machines/nodes/agent-calls.ts';
import { functionOf } from '../../../machines/nodes/model.ts';
import { shortened } from '../../../machines/shortened.ts';
import { didYouMean } from '../../../machines/suggest.ts';
import type { WorkContext } from '../executor.ts';
import { type CheckInput, inputCheck } from '../input-schema.ts';
import { badAnswer, type GivenCall } from '../model/answer.ts';
import { withSchemas } from '../model/parameters.ts';
import { toJson } from '../to-json.ts';
import { ANY_PARAMETERS } from './tools.ts';

/** Characters of a name that an error repeats. */
const MAX_NAME = 100;

/** What an answer that asks for tools is checked by. */
interface Checking {
  /** The tools as the model was told of them. */
  readonly tools: readonly JsonObject[];
  /** How often in a row the model was told of calls that cannot be carried out. */
  readonly repairs: number;
  readonly maxRepairs: number;
  readonly log: WorkContext['log'];
}

/**
 * The calls of an answer. Those that cannot be carried out, because there is no such tool or the arguments do not fit, are to be told to the model. Throws
 * `WorkError` `invalid_answer` when it has been told often enough.
 */
export async function checkCalls(calls: readonly GivenCall[], checking: Checking): Promise<readonly AgentCall[]> {
  const repair = checking.repairs + 1;
  const checked: AgentCall[] = [];
  for (const call of calls) {
    const problem = await problemOf(call, checking);
    const { id, name } = call;
    const given = toJson(call.arguments, 'tool_calls');
    checked.push(
      problem === null ? { id, name, arguments: given } : { id, rejected: { name, arguments: given, problem, repair } },
    );
  }
  const [first] = checked.filter(isRejected);
  if (first !== undefined && repair > checking.maxRepairs) throw badAnswer(lastProblem(first, checking.maxRepairs));
  return checked;
}

function lastProblem({ rejected: { problem } }: RejectedCall, maxRepairs: number): string {
  const reports = maxRepairs === 0 ? '' : `, and was told ${maxRepairs === 1 ? 'once' : `${maxRepairs} times`}`;
  return `the model asked for a call that cannot be carried out${reports}: ${problem}`;
}

/** Why a call cannot be carried out; null = it can. */
async function problemOf({ name, arguments: given, unreadable }: GivenCall, { tools, log }: Checking): Promise<string | null> {
  const known = tools.map((tool) => functionOf(tool));
  const tool = known.find((each) => each.name === name);
  if (tool === undefined)
    return noSuchTool(
      name,
      known.map((each) => String(each.name)),
    );
  if (unreadable !== undefined) return `the arguments of ${name} are not JSON: ${unreadable}`;
  const { parameters } = tool;
  const problem = await misfit(isObject(parameters) ? parameters : {}, given, (cause) =>
    log.warn('the parameters of a tool are no JSON Schema that can be used: its arguments are not checked', {
      tool: name,
      cause,
    }),
  );
  return problem === null ? null : `the arguments of ${name} do not fit: ${problem}`;
}

/** The problem of a call of a tool that there is not. */
function noSuchTool(name: string, known: readonly string[]): string {
  const hint = didYouMean(name, known);
  return `there is no tool "${shortened(name, MAX_NAME)}"; ${hint ?? `there are: ${known.join(', ')}`}`;
}

/** Checks by the parameters, which stay the same objects as long as a workflow is in memory. */
const CHECKS = new WeakMap<JsonObject, CheckInput>();

async function misfit(parameters: JsonObject, given: Json, ifUnusable: (cause: string) => void): Promise<string | null> {
  // Without loading what checks schemas.
  if (parameters === ANY_PARAMETERS) return isObject(given) ? null : 'it must be object';
  let check = CHECKS.get(parameters);
  if (check === undefined) {
    check = inputCheck(withSchemas(parameters));
    CHECKS.set(parameters, check);
  }
  try {
    return await check(given);
  } catch (error) {
    ifUnusable(error instanceof Error ? error.message : String(error));
    return null;
  }
}
