import type { Workflow } from '../../../machines/ir/workflow.ts';
import { canonicalJson, isObject, type Json } from '../../../machines/json.ts';
import type { TimedEvent } from '../../../machines/replay/index.ts';
import { FAILED, type Program, programOf } from '../environment/functions.ts';

/** The result of an operation, and the sequence of its event. */
interface Logged {
  readonly output: Json;
  readonly at: number;
}

/** The operations of a visit that have ended, by name. */
type Results = Map<string, Logged>;

/**
 * Checks that each durable function has returned what its program gives for the logged results of its operations, in the order of the log: whatever
 * crashed, was parked or was run again in between. An operation begins once, and has one result.
 */
export function checkFunctions(log: readonly TimedEvent[], { nodes }: Workflow, seed: number): readonly string[] {
  const problems: string[] = [];
  const functions = new Set(nodes.flatMap(({ id, kind }) => (kind.type === 'durable_function' ? [id] : [])));
  const visits = new Map<string, { readonly results: Results; readonly numbers: Map<number, string>; failed: boolean }>();
  // A retry takes over results from the visit before, and a step that has failed runs again.
  let isComplete = true;
  for (const { sequence, type, node_id, data } of log) {
    if (type === 'workflow_retried' || type === 'workflow_forked') isComplete = false;
    if (node_id === null || !functions.has(node_id) || data.activation === 0) continue;
    const name = `${node_id}:${data.activation}`;
    const visit = visits.get(name) ?? { results: new Map(), numbers: new Map(), failed: false };
    visits.set(name, visit);
    const problem = (text: string): void => void problems.push(`${sequence} ${type} ${name}: ${text}`);
    const operation = String(data.name);
    if (type === 'step_started') {
      const before = visit.numbers.get(Number(data.operation));
      if (before !== undefined && before !== operation) problem(`operation ${data.operation} was ${before} before`);
      visit.numbers.set(Number(data.operation), operation);
    }
    if (type === 'step_completed' || (type === 'step_failed' && data.delay_ms === undefined)) {
      const before = visit.results.get(operation);
      // The next attempt of the node runs a step that has failed again.
      const mayRunAgain = before === undefined || (before.output === FAILED && visit.failed);
      if (isComplete && !mayRunAgain) problem(`${operation} has had a result before`);
      visit.results.set(operation, { output: type === 'step_failed' ? FAILED : (data.output ?? null), at: sequence });
    }
    if (type === 'node_failed') visit.failed = true;
    if (type === 'node_completed' && isComplete) {
      const wanted = resultOf(programOf(seed, node_id), visit.results);
      const result = isObject(data.output) ? (data.output.result ?? null) : null;
      if (canonicalJson(result) !== canonicalJson(wanted))
        problem(`it returned ${JSON.stringify(result)}, and by its log ${JSON.stringify(wanted)}`);
    }
  }
  return problems;
}

function resultOf(program: Program, results: Results): Json {
  if (!('of' in program)) return results.get(program.name)?.output ?? null;
  if (program.does !== 'race') return program.of.map((one) => resultOf(one, results));
  const ends = program.of.map((one) => endOf(one, results));
  return ends.indexOf(Math.min(...ends));
}

/** The sequence of the event with which the program ends. */
function endOf(program: Program, results: Results): number {
  if (!('of' in program)) return results.get(program.name)?.at ?? Number.POSITIVE_INFINITY;
  const ends = program.of.map((one) => endOf(one, results));
  return program.does === 'race' ? Math.min(...ends) : Math.max(...ends);
}
