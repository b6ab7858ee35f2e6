import type { Workflow } from '../../../machines/ir/workflow.ts';
import { canonicalJson, isObject, type Json } from '../../../machines/json.ts';
import type { TimedEvent } from '../../../machines/replay/index.ts';
import { FAILED, type Program, programOf } from '../environment/functions.ts';

/** The result of an operation, and the sequence of its event. */
interface Logged {
  readonly output: Json;
  readonly at: number;
  readonly hasFailed: boolean;
}

/** The operations of a visit that have ended, by name. */
type Results = Map<string, Logged>;

interface Visited {
  readonly results: Results;
  readonly numbers: Map<number, string>;
  /** Updates in the order in which they came, and the numbers of those that were handled. */
  readonly received: Json[];
  readonly handled: Set<number>;
  /** The sequence with which it began an operation last. */
  begunAt: number;
}

/**
 * Checks that each durable function has returned what its program gives for the logged results of its operations, in the order of the log: whatever
 * crashed, was parked or was run again in between. An operation begins once, and has one result.
 */
export function checkFunctions(log: readonly TimedEvent[], { nodes }: Workflow, seed: number): readonly string[] {
  const problems: string[] = [];
  const functions = new Set(nodes.flatMap(({ id, kind }) => (kind.type === 'durable_function' ? [id] : [])));
  const visits = new Map<string, Visited>();
  // A retry takes over results from the visit before, and a step that has failed runs again.
  let isComplete = true;
  for (const { sequence, type, node_id, data } of log) {
    if (type === 'workflow_retried' || type === 'workflow_forked') isComplete = false;
    if (node_id === null || !functions.has(node_id) || data.activation === 0) continue;
    const name = `${node_id}:${data.activation}`;
    const fresh: Visited = { results: new Map(), numbers: new Map(), received: [], handled: new Set(), begunAt: 0 };
    const visit = visits.get(name) ?? fresh;
    visits.set(name, visit);
    const problem = (text: string): void => void problems.push(`${sequence} ${type} ${name}: ${text}`);
    const operation = String(data.name);
    if (type === 'step_started') {
      const before = visit.numbers.get(Number(data.operation));
      if (before === undefined) visit.begunAt = sequence;
      if (before !== undefined && before !== operation) problem(`operation ${data.operation} was ${before} before`);
      visit.numbers.set(Number(data.operation), operation);
    }
    if (type === 'step_completed' || (type === 'step_failed' && data.delay_ms === undefined)) {
      if (isComplete && visit.results.has(operation)) problem(`${operation} has had a result before`);
      const hasFailed = type === 'step_failed';
      visit.results.set(operation, { output: hasFailed ? FAILED : (data.output ?? null), at: sequence, hasFailed });
    }
    if (type === 'update_received') visit.received.push(data.input ?? null);
    if (type === 'update_handled') {
      const number = Number(data.update);
      if (visit.handled.has(number)) problem(`update ${number} was handled before`);
      if (isComplete && number > visit.received.length) problem(`update ${number} has not come`);
      if (isComplete && data.output !== number) problem(`update ${number} was answered ${JSON.stringify(data.output)}`);
      visit.handled.add(number);
    }
    // The next attempt of the node runs a step that has failed again, unless the function has begun something after its failure.
    if (type === 'node_failed')
      for (const [failed, { hasFailed, at }] of visit.results) if (hasFailed && at > visit.begunAt) visit.results.delete(failed);
    // A program does the same each time.
    if (type === 'node_failed' && data.error_class === 'journal_mismatch') problem(String(data.error));
    if (type === 'node_completed' && isComplete) {
      const wanted = resultOf(programOf(seed, node_id), visit.results);
      const { result = null, notes = null, order = [] } = isObject(data.output) ? data.output : {};
      const given = visit.received.filter((_, i) => visit.handled.has(i + 1));
      const places = (order as readonly string[]).map((operation) => visit.results.get(operation)?.at ?? 0);
      if (places.some((place, i) => place <= (places[i - 1] ?? 0)))
        problem(`it was given ${JSON.stringify(order)} in another order than that of the log`);
      if (canonicalJson(notes) !== canonicalJson(given))
        problem(`it was given the updates ${JSON.stringify(given)}, and has ${JSON.stringify(notes)}`);
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
