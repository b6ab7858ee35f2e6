import { compileExpression, evaluate } from '../../machines/expression/index.ts';
import { truthy } from '../../machines/expression/values.ts';
import type { Node, Workflow } from '../../machines/ir/workflow.ts';
import { isObject, type Json, type JsonObject, patchState } from '../../machines/json.ts';

/** Thrown for a loop in which every node ends as soon as it starts (blocked tools). Only the step limit ends such a loop, and the model has none by default. */
export class EndlessLoop extends Error {}
const MAX_TURNS = 1_000;

/** A transition between two nodes (`to` null = the end), or a `wait_for` without an edge (`wait`). */
interface ModelEdge {
  readonly from: string;
  readonly to: string | null;
  readonly role:
    | 'choice'
    | 'all'
    | 'wait'
    | 'on_approved'
    | 'on_rejected'
    | 'on_timeout'
    | 'on_blocked'
    | 'retry_node'
    | 'fallback_node';
  readonly when: string | null;
}

/** State of a node in the current iteration of its loop. */
interface NodeState {
  phase: 'idle' | 'queued' | 'backoff' | 'awaiting_approval' | 'approval' | 'waiting' | 'done' | 'skipped' | 'failed' | 'closed';
  /** Transitions that were taken when it ended. */
  chosen: ReadonlySet<ModelEdge>;
  /** Whether it completed, and did not fail with a fallback. */
  completed: boolean;
  output: Json;
  received: Json;
  /** The state keys that both were written to as well; null = none. */
  outputKey: string | null;
  receivedKey: string | null;
  order: number;
  attempt: number;
  since: number;
  /** Reached through a back edge: runs regardless of its incoming transitions. */
  again: boolean;
}

const OUTCOMES = ['on_approved', 'on_rejected', 'on_timeout', 'on_blocked', 'fallback_node'] as const;
const ENDED_PHASES = new Set(['done', 'skipped', 'failed', 'closed']);

/**
 * An independent model of the graph rules, to compare machines with. Every question (is this transition live? may this node run?) is computed
 * from the states of the nodes each time. It has no state machines, no compilation and no incremental bookkeeping; it is not optimised.
 * Hand-written tests cover the delays of retries and child executions.
 */
export class Model {
  status: 'running' | 'paused' | 'completed' | 'failed' | 'limit_exceeded' = 'running';
  state: JsonObject;
  steps = 0;
  /** `what:node:visit` in order. */
  readonly log: string[] = [];
  readonly #nodes: ReadonlyMap<string, Node>;
  readonly #index: ReadonlyMap<string, number>;
  readonly #edges: readonly ModelEdge[];
  readonly #loops: readonly { readonly head: string; readonly body: ReadonlySet<string>; readonly backs: readonly ModelEdge[] }[];
  readonly #back: ReadonlySet<ModelEdge>;
  readonly #start: string;
  readonly #nodeStates = new Map<string, NodeState>();
  readonly #visits = new Map<string, number>();
  /** How often scoring nodes have sent work back, and the results that people review. */
  readonly #retries = new Map<string, number>();
  readonly #reviewed = new Map<string, JsonObject>();
  readonly #pendingEvents: { key: string; payload: Json }[] = [];
  #failures: string[] = [];
  #clock = 0;

  readonly #limit: number;
  #ends = 0;

  /** `limit`: number of node completions, including handled failures, after which a run fails. */
  constructor(workflow: Workflow, input: Json, limit = Number.POSITIVE_INFINITY) {
    this.#limit = limit;
    this.state = isObject(input) ? input : {};
    this.#start = workflow.start_node;
    const all = edgesOf(workflow);
    const reachable = reachableFrom([workflow.start_node], (id) => all.filter((edge) => edge.from === id).map((edge) => edge.to));
    this.#nodes = new Map(workflow.nodes.filter((node) => reachable.has(node.id)).map((node) => [node.id, node]));
    this.#index = new Map(workflow.nodes.map((node, i) => [node.id, i]));
    this.#edges = all.filter((edge) => reachable.has(edge.from));
    const without = (id: string) =>
      reachableFrom(
        [workflow.start_node].filter((start) => start !== id),
        (from) => this.#edges.filter((edge) => edge.from === from && edge.to !== id).map((edge) => edge.to),
      );
    const dominates = new Map([...this.#nodes.keys()].map((id) => [id, without(id)]));
    const isBack = (edge: ModelEdge) =>
      edge.role !== 'wait' && edge.to !== null && dominates.get(edge.to)?.has(edge.from) === false;
    this.#back = new Set(this.#edges.filter(isBack));
    this.#loops = [...new Set([...this.#back].flatMap((edge) => edge.to ?? []))].map((head) => {
      const backs = [...this.#back].filter((edge) => edge.to === head);
      const before = (id: string) => (id === head ? [] : this.#edges.filter((edge) => edge.to === id).map((edge) => edge.from));
      const body = reachableFrom(
        backs.map((edge) => edge.from),
        before,
      );
      return { head, body: body.add(head), backs };
    });
    for (const id of this.#nodes.keys()) this.#nodeStates.set(id, idleState());
    this.#nodeState(this.#start).again = true;
    this.#settle();
  }

  /** Active nodes, as `node:visit:attempt:phase`. */
  get active(): string[] {
    if (this.status !== 'running' && this.status !== 'paused') return [];
    return [...this.#nodeStates]
      .filter(([, nodeState]) => nodeState.phase !== 'idle' && !ENDED_PHASES.has(nodeState.phase))
      .map(([id, nodeState]) => `${id}:${this.#visits.get(id)}:${nodeState.attempt}:${nodeState.phase}`);
  }

  done(id: string, output: Json): void {
    const node = this.#node(id);
    const { kind } = node;
    if (kind.type === 'eval') {
      this.#scored(id, kind, isObject(output) ? output : {});
      this.#settle();
      return;
    }
    const key = 'output_key' in kind ? kind.output_key : undefined;
    // The output of a child is never merged into the state.
    const isPatch = isObject(output) && kind.type !== 'subgraph';
    const patch = key !== undefined ? { [key]: output } : isPatch ? output : { [id]: output };
    this.#complete(id, output, patch, undefined, key ?? null);
    this.#settle();
  }

  #scored(id: string, kind: Node['kind'] & { type: 'eval' }, { passed, scorers, feedback }: JsonObject): void {
    const hasPassed = passed === true;
    const retries = this.#retries.get(id) ?? 0;
    const isAgain = !hasPassed && kind.on_fail === 'retry_with_feedback' && retries < kind.max_retries;
    const action = hasPassed ? 'continue' : kind.on_fail === 'retry_with_feedback' && !isAgain ? 'halt' : kind.on_fail;
    const said = !hasPassed && typeof feedback === 'string' ? { feedback } : {};
    const output: JsonObject = { passed: hasPassed, action, scorers: Array.isArray(scorers) ? scorers : [], ...said };
    if (action === 'escalate') {
      this.#reviewed.set(id, output);
      Object.assign(this.#nodeState(id), { phase: 'approval' });
      return;
    }
    if (isAgain) this.#retries.set(id, retries + 1);
    else this.#retries.delete(id);
    if (action === 'halt') this.#failForGood(id, errorOfScores(output.scorers as readonly JsonObject[]));
    else this.#complete(id, output, patchOfScores(id, output), isAgain ? 'retry_node' : undefined);
  }

  /** The node's child execution is paused, or continues. */
  setWaiting(id: string, isParked: boolean): void {
    this.#nodeState(id).phase = isParked ? 'waiting' : 'queued';
    this.#settle();
  }

  fail(id: string, retryable: boolean, error = 'boom'): void {
    const nodeState = this.#nodeState(id);
    const { max_attempts, initial_delay } = this.#node(id).retry;
    if (retryable && nodeState.attempt + 1 < max_attempts) {
      nodeState.attempt += 1;
      nodeState.phase = initial_delay === 0 ? 'queued' : 'backoff';
    } else this.#failForGood(id, error);
    this.#settle();
  }

  /** The node's timer fires. */
  fire(id: string): void {
    const nodeState = this.#nodeState(id);
    const { kind } = this.#node(id);
    if (nodeState.phase === 'backoff') nodeState.phase = 'queued';
    else if (kind.type === 'wait' && kind.condition === 'timer') this.#complete(id, { fired: true }, null);
    else {
      const role = OUTCOMES.find(
        (outcome) => ['on_timeout', 'fallback_node'].includes(outcome) && this.#outcomeEdges(id, outcome).length > 0,
      );
      if (role === undefined && !(kind.type === 'wait' && kind.condition === 'either')) this.#failForGood(id, 'timeout');
      else this.#complete(id, { timed_out: true }, null, role);
    }
    this.#settle();
  }

  decide(id: string, decision: 'approved' | 'rejected', userId = 'ann'): void {
    const nodeState = this.#nodeState(id);
    const role = decision === 'approved' ? 'on_approved' : 'on_rejected';
    const routable = this.#edges.some(
      (edge) =>
        edge.from === id &&
        edge.role === 'choice' &&
        (edge.when !== null || (edge.to !== null && this.#node(edge.to).kind.type === 'condition')),
    );
    if (nodeState.phase === 'awaiting_approval' && decision === 'approved') nodeState.phase = 'queued';
    else if (
      nodeState.phase === 'awaiting_approval' ||
      (decision === 'rejected' && !routable && this.#outcomeEdges(id, role).length === 0)
    )
      this.#failForGood(id, `approval rejected by ${userId}`);
    else {
      const decided = { decision, approved: decision === 'approved', user_id: userId, comment: null };
      const result = this.#reviewed.get(id);
      const output = { ...result, ...decided };
      this.#complete(
        id,
        output,
        result === undefined ? { [id]: output } : patchOfScores(id, output),
        this.#outcomeEdges(id, role).length > 0 ? role : undefined,
      );
    }
    this.#settle();
  }

  event(key: string, payload: Json): void {
    const [longest] = [...this.#nodeStates]
      .filter(([id, nodeState]) => nodeState.phase === 'waiting' && this.#waitsFor(id) === key)
      .sort(([, a], [, b]) => a.since - b.since);
    if (longest === undefined) this.#pendingEvents.push({ key, payload });
    else this.#deliver(longest[0], payload);
    this.#settle();
  }

  #liveness(edge: ModelEdge): 'live' | 'dead' | 'open' {
    const nodeState = this.#nodeState(edge.from);
    if (!ENDED_PHASES.has(nodeState.phase) || nodeState.phase === 'failed') return 'open';
    const live = edge.role === 'wait' ? nodeState.completed : nodeState.chosen.has(edge);
    if (live && edge.role !== 'wait') return 'live';
    const roundsLeft = this.#loops.some(
      ({ body, backs }) =>
        body.has(edge.from) && edge.to !== null && !body.has(edge.to) && backs.some((back) => this.#liveness(back) === 'open'),
    );
    return roundsLeft ? 'open' : live ? 'live' : 'dead';
  }

  #incoming(id: string): ModelEdge[] {
    return this.#edges.filter((edge) => edge.to === id && !this.#back.has(edge));
  }

  #readiness(id: string): 'run' | 'skip' | 'not yet' {
    const nodeState = this.#nodeState(id);
    if (nodeState.phase !== 'idle') return 'not yet';
    if (nodeState.again) return 'run';
    const liveness = this.#incoming(id).map((edge) => this.#liveness(edge));
    if (this.#isFirst(id) && liveness.includes('live')) return 'run';
    if (liveness.length === 0 || liveness.includes('open')) return 'not yet';
    return liveness.includes('live') ? 'run' : 'skip';
  }

  #isControl(id: string): boolean {
    const { kind } = this.#node(id);
    return (
      ['condition', 'parallel', 'limit_exceeded'].includes(kind.type) ||
      (kind.type === 'join' && kind.merge_strategy.type !== 'custom')
    );
  }

  #isFirst(id: string): boolean {
    const { kind } = this.#node(id);
    return kind.type === 'join' && kind.merge_strategy.type === 'first';
  }

  #outcomeEdges(id: string, role: ModelEdge['role']): ModelEdge[] {
    return this.#edges.filter((edge) => edge.from === id && edge.role === role);
  }

  #waitsFor(id: string): string | null {
    const { kind } = this.#node(id);
    return kind.type === 'wait' && kind.condition !== 'timer' ? kind.correlation_key : null;
  }

  /** Processes skips and control nodes first, then other nodes, each in the order of the document. */
  #settle(): void {
    for (let turn = 0; this.status === 'running' || this.status === 'paused'; turn += 1) {
      if (turn > MAX_TURNS) throw new EndlessLoop();
      const turns = [...this.#nodes.keys()]
        .map((id) => [id, this.#readiness(id)] as const)
        .filter(([, turn]) => turn !== 'not yet')
        .sort(([a], [b]) => (this.#index.get(a) ?? 0) - (this.#index.get(b) ?? 0));
      const [next] = [...turns.filter(([id, turn]) => turn === 'skip' || this.#isControl(id)), ...turns];
      if (next === undefined) {
        this.#updateStatus();
        return;
      }
      if (next[1] === 'skip') this.#skip(next[0]);
      else this.#begin(next[0]);
    }
  }

  #updateStatus(): void {
    const phases = new Set([...this.#nodeStates.values()].map((nodeState) => nodeState.phase));
    if (phases.has('queued') || phases.has('backoff') || phases.has('awaiting_approval')) this.status = 'running';
    else if (phases.has('approval') || phases.has('waiting')) this.status = 'paused';
    else this.status = this.#failures.length > 0 ? 'failed' : 'completed';
  }

  #visit(id: string, what: string): void {
    const visit = (this.#visits.get(id) ?? 0) + 1;
    this.#visits.set(id, visit);
    this.log.push(`${what}:${id}:${visit}`);
  }

  #skip(id: string): void {
    this.#nodeStates.set(id, { ...idleState(), phase: 'skipped' });
    this.#visit(id, 'skipped');
  }

  #begin(id: string): void {
    const nodeState = this.#nodeState(id);
    const { kind, policy } = this.#node(id);
    const live = this.#live(id);
    if (!nodeState.again) {
      nodeState.received = live.at(-1)?.output ?? null;
      nodeState.receivedKey = live.at(-1)?.outputKey ?? null;
    }
    nodeState.again = false;
    nodeState.attempt = 0;
    if (this.#isControl(id)) {
      if (this.#isFirst(id)) this.#cancelLosers(id);
      this.#visit(id, 'ran');
      this.#control(id, live);
      return;
    }
    this.#visit(id, 'ran');
    nodeState.since = ++this.#clock;
    if (kind.type === 'human_approval') nodeState.phase = 'approval';
    else if (kind.type === 'wait') {
      nodeState.phase = 'waiting';
      const early = this.#pendingEvents.findIndex(({ key }) => key === this.#waitsFor(id));
      const [event] = early === -1 ? [] : this.#pendingEvents.splice(early, 1);
      if (event !== undefined) this.#deliver(id, event.payload);
    } else if (policy?.blocked_tools.length) this.#failForGood(id, `blocked by policy: t.${id}`);
    else nodeState.phase = policy?.require_approval_for.length ? 'awaiting_approval' : 'queued';
  }

  #live(id: string): NodeState[] {
    const sources = new Set(
      this.#incoming(id)
        .filter((edge) => this.#liveness(edge) === 'live')
        .map((edge) => edge.from),
    );
    return [...sources].map((source) => this.#nodeState(source)).sort((a, b) => a.order - b.order);
  }

  #control(id: string, live: readonly NodeState[]): void {
    const { kind } = this.#node(id);
    const nodeState = this.#nodeState(id);
    if (kind.type === 'limit_exceeded') {
      this.steps += 1;
      this.status = 'limit_exceeded';
    } else if (kind.type === 'join') {
      const [winner] = this.#isFirst(id) ? live : [];
      const output = this.#isFirst(id) ? (winner?.output ?? null) : this.#collected(id);
      const patch = kind.output_key === undefined ? null : { [kind.output_key]: output };
      this.#complete(id, output, patch, undefined, kind.output_key ?? winner?.outputKey ?? null);
    } else this.#complete(id, nodeState.received, null, undefined, nodeState.receivedKey);
  }

  #collected(id: string): Json {
    const { kind } = this.#node(id);
    const named = kind.type === 'join' ? kind.wait_for : [];
    const sources = [...new Set([...named, ...this.#incoming(id).map((edge) => edge.from)])];
    const outputOf = (source: string): Json => {
      const isLive = this.#incoming(id).some((edge) => edge.from === source && this.#liveness(edge) === 'live');
      return isLive && !['condition', 'parallel'].includes(this.#node(source).kind.type) ? this.#nodeState(source).output : null;
    };
    return { outputs: sources.map(outputOf), by_source: Object.fromEntries(sources.map((source) => [source, outputOf(source)])) };
  }

  #deliver(id: string, payload: Json): void {
    this.#complete(id, payload, isObject(payload) ? payload : { [id]: payload });
  }

  #complete(id: string, output: Json, patch: Json, role?: ModelEdge['role'], outputKey: string | null = null): void {
    const nodeState = this.#nodeState(id);
    Object.assign(nodeState, { phase: 'done', completed: true, output, outputKey, order: ++this.#clock });
    this.steps += 1;
    this.state = patchState(this.state, patch);
    if (!this.#isAtLimit()) this.#followEdges(id, role);
  }

  #isAtLimit(): boolean {
    this.#ends += 1;
    if (this.#ends >= this.#limit) this.status = 'failed';
    return this.#ends >= this.#limit;
  }

  #failForGood(id: string, error: string): void {
    const nodeState = this.#nodeState(id);
    this.#retries.delete(id);
    if (this.#outcomeEdges(id, 'fallback_node').length === 0) {
      nodeState.phase = 'failed';
      this.#failures.push(id);
      return;
    }
    Object.assign(nodeState, {
      phase: 'done',
      completed: false,
      output: { error, node_id: id, attempt: nodeState.attempt },
      outputKey: null,
      order: ++this.#clock,
    });
    if (!this.#isAtLimit()) this.#followEdges(id, 'fallback_node');
  }

  /** Determines the transitions that are taken when a node ends; a back edge starts the next iteration of its loop instead. */
  #followEdges(id: string, role?: ModelEdge['role']): void {
    const nodeState = this.#nodeState(id);
    const { output, outputKey } = nodeState;
    const scope = { state: this.state, output, outputKey, input: {}, env: {} };
    const holds = (edge: ModelEdge) => edge.when !== null && truthy(evaluate(compileExpression(edge.when), scope).value);
    const choices = this.#outcomeEdges(id, 'choice');
    const chosen = choices.find(holds);
    // A condition node has one default branch, wherever it is written; other nodes take all unconditional edges.
    const rest = choices.filter((edge) => edge.when === null);
    const { kind } = this.#node(id);
    const otherwise =
      kind.type === 'condition' && kind.branches.length > 0 ? rest.slice(0, 1) : [...rest, ...this.#outcomeEdges(id, 'all')];
    const live = role !== undefined ? this.#outcomeEdges(id, role) : chosen !== undefined ? [chosen] : otherwise;
    const back = live.find((edge) => this.#back.has(edge));
    if (back === undefined) {
      // Branches with the same target are one transition; edges with the same target are separate transitions.
      const isOne = kind.type === 'condition' && kind.branches.length > 0;
      nodeState.chosen = new Set(isOne ? choices.filter((edge) => live.some((taken) => taken.to === edge.to)) : live);
      return;
    }
    const loop = this.#loops.find(({ head }) => head === back.to);
    if (role !== 'retry_node') for (const inside of loop?.body ?? []) this.#retries.delete(inside);
    for (const inside of loop?.body ?? []) this.#nodeStates.set(inside, idleState());
    Object.assign(this.#nodeState(back.to ?? ''), { again: true, received: output, receivedKey: outputKey });
  }

  /** A `first` join was reached: cancels everything that can only lead to it. */
  #cancelLosers(join: string): void {
    const sources = new Set(this.#incoming(join).map((edge) => edge.from));
    for (const id of this.#nodes.keys()) {
      const nodeState = this.#nodeState(id);
      const contained = nodeState.phase === 'failed' && sources.has(id);
      if (!contained && !(this.#before(join).has(id) && this.#onlyThrough(id, join))) continue;
      if (nodeState.phase === 'failed') this.#failures = this.#failures.filter((failed) => failed !== id);
      else if (ENDED_PHASES.has(nodeState.phase)) continue;
      else if (nodeState.phase !== 'idle') this.log.push(`cancelled:${id}:${this.#visits.get(id)}`);
      this.#nodeStates.set(id, { ...idleState(), phase: 'closed' });
    }
  }

  #before(join: string): Set<string> {
    const around = new Set(this.#loops.filter(({ body }) => body.has(join)).map(({ head }) => head));
    const before = (id: string) =>
      this.#edges.filter((edge) => edge.to === id && !(this.#back.has(edge) && around.has(id))).map((edge) => edge.from);
    const found = reachableFrom([join], before);
    found.delete(join);
    return found;
  }

  /** Whether every path from `id` to an end passes through the join. A path that cannot end counts as ending at its back edge. */
  #onlyThrough(id: string, join: string): boolean {
    const routes = (node: string) => this.#edges.filter((edge) => edge.from === node && edge.role !== 'wait');
    const ends = (node: string) => routes(node).length === 0 || routes(node).some((edge) => edge.to === null);
    const canEnd = (node: string) => [...reachableFrom([node], (from) => routes(from).map((edge) => edge.to))].some(ends);
    const isEnd = (node: string) => ends(node) || (!canEnd(node) && routes(node).some((edge) => this.#back.has(edge)));
    const avoiding = reachableFrom([id], (from) => routes(from).map((edge) => (edge.to === join ? null : edge.to)));
    return ![...avoiding].some(isEnd);
  }

  #nodeState(id: string): NodeState {
    const nodeState = this.#nodeStates.get(id);
    if (nodeState === undefined) throw new Error(`no node ${id}`);
    return nodeState;
  }

  #node(id: string): Node {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }
}

function errorOfScores(scorers: readonly JsonObject[]): string {
  const failed = scorers.filter((each) => each.passed !== true).map(({ scorer, message }) => `${scorer}: ${message}`);
  return failed.length === 0 ? 'did not pass' : `did not pass: ${failed.join('; ')}`;
}

function patchOfScores(id: string, output: JsonObject): JsonObject {
  const { passed = null, action = null, scorers = null, feedback = null } = output;
  const cleared = { feedback: null, decision: null, approved: null, user_id: null, comment: null };
  const scores = { eval_passed: passed, eval_action: action, eval_results: scorers, eval_feedback: feedback };
  return { ...scores, [id]: { ...cleared, ...output } };
}

function idleState(): NodeState {
  return {
    phase: 'idle',
    chosen: new Set(),
    completed: false,
    output: null,
    received: null,
    outputKey: null,
    receivedKey: null,
    order: 0,
    attempt: 0,
    since: 0,
    again: false,
  };
}

function reachableFrom(from: readonly string[], next: (id: string) => readonly (string | null)[]): Set<string> {
  const seen = new Set(from);
  for (const id of seen) for (const to of next(id)) if (to !== null) seen.add(to);
  return seen;
}

/** The nearest node on every path to `judge` that works, or behind which other nodes work on the way. */
function sentBackTo({ nodes, start_node }: Workflow, edges: readonly ModelEdge[], judge: string): string | null {
  const next = (id: string, without: string | null) =>
    edges.flatMap((edge) => (edge.from === id && edge.to !== null && edge.to !== without ? [edge.to] : []));
  const reachedWithout = (id: string) => reachableFrom(start_node === id ? [] : [start_node], (from) => next(from, id));
  if (!reachedWithout('').has(judge)) return null;
  const before = nodes.map(({ id }) => id).filter((id) => id !== judge && !reachedWithout(id).has(judge));
  const isAbove = (a: string, b: string) => a !== b && !reachedWithout(a).has(b);
  const nearestFirst = before.sort((a, b) => (isAbove(a, b) ? 1 : -1));
  const works = (id: string) => {
    const kind = nodes.find((node) => node.id === id)?.kind;
    if (kind?.type === 'join') return kind.merge_strategy.type === 'custom';
    return kind !== undefined && !['condition', 'parallel', 'limit_exceeded'].includes(kind.type);
  };
  const behind = (id: string) => {
    const back = (to: string) =>
      edges.flatMap((edge) => (edge.to === to && edge.from !== id && edge.from !== judge ? [edge.from] : []));
    const reachable = reachedWithout('');
    return [...reachableFrom(back(judge), back)].filter((inside) => reachable.has(inside));
  };
  return nearestFirst.find((id) => works(id) || behind(id).some(works)) ?? null;
}

/** All transitions of a workflow. */
function edgesOf(workflow: Workflow): ModelEdge[] {
  const edges: ModelEdge[] = [];
  const target = (to: string) => (to === 'end' ? null : to);
  for (const node of workflow.nodes) {
    const { id: from, kind } = node;
    const written = workflow.edges.filter((edge) => edge.from === from);
    if (kind.type === 'condition' && kind.branches.length > 0) {
      for (const branch of kind.branches) edges.push({ from, to: target(branch.target), role: 'choice', when: branch.condition });
    } else if (kind.type === 'parallel') {
      for (const to of [...kind.branches, ...written.map((edge) => edge.to)])
        edges.push({ from, to: target(to), role: 'all', when: null });
    } else {
      const named = OUTCOMES.flatMap((role) => {
        const to = (kind as { readonly [R in (typeof OUTCOMES)[number]]?: string })[role];
        return to === undefined ? [] : [{ from, to: target(to), role, when: null }];
      });
      const isOutcome = (to: string, edges: readonly ModelEdge[]) => edges.some((edge) => edge.to === target(to));
      const ordinary = written.filter((edge) => edge.condition !== null || !isOutcome(edge.to, named));
      const isDecided = named.some(({ role }) => role === 'on_approved' || role === 'on_rejected');
      const spared = isDecided ? ['fallback_node'] : ['fallback_node', 'on_timeout'];
      const takers = ordinary.length > 0 ? named : named.filter(({ role }) => !spared.includes(role));
      for (const { to, condition: when } of written) {
        if (when !== null || !isOutcome(to, takers)) edges.push({ from, to: target(to), role: 'choice', when });
      }
      edges.push(...named);
    }
  }
  for (const node of workflow.nodes) {
    if (node.kind.type !== 'join') continue;
    for (const source of node.kind.wait_for) {
      if (!edges.some((edge) => edge.from === source && edge.to === node.id))
        edges.push({ from: source, to: node.id, role: 'wait', when: null });
    }
  }
  for (const node of workflow.nodes) {
    const { id: from, kind } = node;
    if (kind.type !== 'eval' || kind.on_fail !== 'retry_with_feedback') continue;
    const to = kind.retry_node ?? sentBackTo(workflow, edges, from);
    if (to !== null) edges.push({ from, to, role: 'retry_node', when: null });
  }
  const isSame = (a: ModelEdge, b: ModelEdge) => a.from === b.from && a.to === b.to && a.role === b.role && a.when === b.when;
  return edges.filter((edge, i) => !edges.slice(0, i).some((earlier) => isSame(earlier, edge)));
}
