import { isDeepStrictEqual } from 'node:util';
import { isObject, type Json } from '../../../machines/json.ts';
import type { History } from '../history.ts';
import type { ExternalServer } from '../load/external-server.ts';
import type { FinalState, LogEvent, StoredExecution } from './final-state.ts';

interface Case {
  readonly execution: StoredExecution;
  readonly evidence: FinalState;
  readonly external: ExternalServer;
  /** Completed nodes, in order. */
  readonly completed: readonly string[];
}

/** Describes what is wrong; null if the execution is correct. */
type OutcomeModel = (of: Case) => string | null;

/** Possible outcomes of each workflow, derived from its document only. */
export function checkOutcomes(evidence: FinalState, external: ExternalServer, history: History): void {
  for (const execution of evidence.executions.values()) {
    const completed = execution.log.filter(({ type }) => type === 'node_completed').map(({ node }) => node ?? '');
    const model = MODELS[execution.workflow];
    const problem = model === undefined ? 'no model' : model({ execution, evidence, external, completed });
    if (problem !== null)
      history.addViolation(
        'every execution ends as modelled',
        `${execution.workflow} ${execution.id}, ${execution.status}: ${problem}`,
        [execution.id, execution.key ?? execution.id],
      );
  }
}

const ORDER = ['reserve', 'review', 'charge', 'paid', 'ship'];

const MODELS: Readonly<Record<string, OutcomeModel>> = {
  order: ({ execution, completed }) => {
    const { status, log } = execution;
    if (status === 'completed')
      return (
        completedExactly(completed, ORDER) ?? finalState(execution, { receipt: outputOf(log, 'charge'), payer: payerOf(log) })
      );
    if (status === 'cancelled') return startsWith(completed, ORDER);
    const decision = log.findLast(({ type }) => type === 'approval_received')?.data.decision;
    return decision === 'rejected' ? completedExactly(completed, ['reserve']) : `failed, though the last decision is ${decision}`;
  },
  rounds: ({ execution, completed }) =>
    mustHaveStatus(execution, 'completed') ??
    completedExactly(
      [...completed].sort(),
      ['fan', 'quick', 'external', 'later', 'join', 'count', 'again'].flatMap((node) => [node, node]).sort(),
    ) ??
    finalState(execution, { n: 2, external: outputOf(execution.log, 'external') }) ??
    succeededAfter(execution.log, 'quick', 2),
  reminder: ({ execution, completed }) =>
    mustHaveStatus(execution, 'completed') ?? completedExactly(completed, ['soon', 'note', 'later']),
  child: ({ execution, evidence, completed }) => {
    const { status, parent, id, log } = execution;
    const above = evidence.executions.get(parent ?? '');
    if (above === undefined) return 'it has no parent';
    if (!above.log.some(({ type, data }) => type === 'child_workflow_started' && data.child_execution_id === id))
      return `its parent ${parent} has no event for it`;
    if (status === 'cancelled')
      return above.status === 'cancelled' ? startsWith(completed, CHILD) : `its parent is ${above.status}`;
    return (
      mustHaveStatus(execution, 'completed') ??
      completedExactly(completed, CHILD) ??
      finalState(execution, { external: outputOf(log, 'external') })
    );
  },
  parent: ({ execution, evidence, completed }) => {
    if (execution.status === 'cancelled') return startsWith(completed, ['before', 'sub', 'after']);
    return (
      mustHaveStatus(execution, 'completed') ??
      completedExactly(completed, ['before', 'sub', 'after']) ??
      childResult(execution, evidence)
    );
  },
  race: ({ execution, completed }) => {
    const winner = completed[1] ?? 'none';
    const loser = winner === 'paid' ? 'alarm' : 'paid';
    const gone = execution.log.some(({ type, node }) => type === 'node_cancelled' && node === loser);
    const source = execution.log.find(({ type, node }) => type === 'node_completed' && node === 'first')?.data.source;
    return (
      mustHaveStatus(execution, 'completed') ??
      completedExactly(completed, ['fork', winner, 'first', 'note']) ??
      (gone ? null : `${loser} is not cancelled`) ??
      (source === winner ? null : `${String(source)} was taken, and ${winner} completed first`)
    );
  },
  ticks: ({ execution, completed }) => {
    const { log } = execution;
    const came = log.filter(({ type }) => type === 'external_event_received').map(({ data }) => data.payload);
    const taken = log.filter(({ type, node }) => type === 'node_completed' && node === 'tick').map(({ data }) => data.output);
    return (
      mustHaveStatus(execution, 'completed') ??
      completedExactly(completed, Array.from({ length: 10 }, () => ['tick', 'count', 'again']).flat()) ??
      (isDeepStrictEqual(came, taken) ? null : `events are not taken in order: ${JSON.stringify(taken)}`)
    );
  },
  long: ({ execution, completed }) => {
    const possible = ['fork', 'work', 'external', 'sub'];
    const stray = completed.find((node, index) => !possible.includes(node) || completed.indexOf(node) !== index);
    return mustHaveStatus(execution, 'cancelled') ?? (stray === undefined ? null : `${stray} completed unexpectedly or twice`);
  },
  refused: ({ execution, completed }) =>
    mustHaveStatus(execution, 'completed') ?? completedExactly(completed, ['before', 'refuses', 'after']),
  calling: ({ execution, completed, external }) => {
    const output = outputOf(execution.log, 'call');
    const nonce = isObject(output) ? output.nonce : null;
    const answer = external.answers.get(execution.id)?.find((given) => given.nonce === nonce);
    return (
      mustHaveStatus(execution, 'completed') ??
      completedExactly(completed, ['call', 'after']) ??
      (answer?.idempotencyKey === `${execution.id}:call:1`
        ? null
        : `the external server never gave the answer ${JSON.stringify(output)}`)
    );
  },
};

const CHILD = ['prepare', 'rest', 'external'];

function mustHaveStatus({ status }: StoredExecution, expected: string): string | null {
  return status === expected ? null : `must be ${expected}`;
}

function completedExactly(found: readonly string[], expected: readonly string[]): string | null {
  return isDeepStrictEqual(found, expected) ? null : `completed ${found.join(', ')}; must be ${expected.join(', ')}`;
}

function startsWith(found: readonly string[], expected: readonly string[]): string | null {
  return completedExactly(found, expected.slice(0, found.length));
}

function outputOf(log: readonly LogEvent[], node: string): Json {
  return log.findLast((event) => event.type === 'node_completed' && event.node === node)?.data.output ?? null;
}

function payerOf(log: readonly LogEvent[]): Json {
  const payload = log.find(({ type }) => type === 'external_event_received')?.data.payload;
  return isObject(payload) ? (payload.payer ?? null) : null;
}

function finalState({ log }: StoredExecution, expected: Readonly<Record<string, Json>>): string | null {
  const state = log.at(-1)?.data.final_state;
  const wrong = Object.entries(expected).find(([key, value]) => !isObject(state) || !isDeepStrictEqual(state[key], value));
  return wrong === undefined
    ? null
    : `its state must have ${wrong[0]}: ${JSON.stringify(wrong[1])}, and is ${JSON.stringify(state)}`;
}

/** Checks that the tool succeeded only after its failing attempts. */
function succeededAfter(log: readonly LogEvent[], node: string, least: number): string | null {
  const output = outputOf(log, node);
  const result = isObject(output) ? output[node] : null;
  return isObject(result) && Number(result.attempt) >= least ? null : `${node} gave ${JSON.stringify(output)}`;
}

/** Checks that the child has completed and that the parent received its result. */
function childResult({ log }: StoredExecution, { executions }: FinalState): string | null {
  const result = log.findLast(({ type }) => type === 'child_workflow_completed')?.data;
  const child = executions.get(String(result?.child_execution_id));
  if (child?.status !== 'completed') return `its child ${result?.child_execution_id} is ${child?.status}`;
  return isDeepStrictEqual(child.log.at(-1)?.data.final_state, result?.result)
    ? null
    : 'its log has another result than that of its child';
}
