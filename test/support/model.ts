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
  readonly role: 'choice' | 'all' | 'wait' | 'on_approved' | 'on_rejected' | 'on_timeout' | 'fallback_node';
  readonly when: string | null;
}

/** State of a node in the current iteration of its loop. */
interface NodeState {
  phase: 'idle' | 'queued' | 'backoff' | 'held' | 'approval' | 'waiting' | 'done' | 'skipped' | 'failed' | 'closed';
  /** Transitions that were taken when it ended. */
  chosen: ReadonlySet<ModelEdge>;
  /** Whether it completed, and did not fail with a fallback. */
  completed: boolean;
  output: Json;
  received: Json;
  order: number;
  attempt: number;
  since: number;
  /** Reached through a back edge: runs regardless of its incoming transitions. */
  again: boolean;
}

const OUTCOMES = ['on_approved', 'on_rejected', 'on_timeout', 'fallback_node'] as const;
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
    const reachable = reachableFrom([workflow.start_node], (id) => all.filter((way) => way.from === id).map((way) => way.to));
    this.#nodes = new Map(workflow.nodes.filter((node) => reachable.has(node.id)).map((node) => [node.id, node]));
    this.#index = new Map(workflow.nodes.map((node, i) => [node.id, i]));
    this.#edges = all.filter((way) => reachable.has(way.from));
    const without = (id: string) =>
      reachableFrom(
        [workflow.start_node].filter((start) => start !== id),
        (from) => this.#edges.filter((way) => way.from === from && way.to !== id).map((way) => way.to),
      );
    const dominates = new Map([...this.#nodes.keys()].map((id) => [id, without(id)]));
    const isBack = (way: ModelEdge) => way.role !== 'wait' && way.to !== null && dominates.get(way.to)?.has(way.from) === false;
    this.#back = new Set(this.#edges.filter(isBack));
    this.#loops = [...new Set([...this.#back].flatMap((way) => way.to ?? []))].map((head) => {
      const backs = [...this.#back].filter((way) => way.to === head);
      const before = (id: string) => (id === head ? [] : this.#edges.filter((way) => way.to === id).map((way) => way.from));
      const body = reachableFrom(
        backs.map((way) => way.from),
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
      .filter(([, fate]) => fate.phase !== 'idle' && !ENDED_PHASES.has(fate.phase))
      .map(([id, fate]) => `${id}:${this.#visits.get(id)}:${fate.attempt}:${fate.phase}`);
  }

  done(id: string, output: Json): void {
    const node = this.#node(id);
    const { kind } = node;
    const key = 'output_key' in kind ? kind.output_key : undefined;
    // The output of a child is never merged into the state.
    const isPatch = isObject(output) && kind.type !== 'subgraph';
    this.#complete(id, output, key !== undefined ? { [key]: output } : isPatch ? output : { [id]: output });
    this.#settle();
  }

  /** The node's child execution is paused, or continues. */
  setWaiting(id: string, isParked: boolean): void {
    this.#nodeState(id).phase = isParked ? 'waiting' : 'queued';
    this.#settle();
  }

  fail(id: string, retryable: boolean, error = 'boom'): void {
    const fate = this.#nodeState(id);
    const { max_attempts, initial_delay } = this.#node(id).retry;
    if (retryable && fate.attempt + 1 < max_attempts) {
      fate.attempt += 1;
      fate.phase = initial_delay === 0 ? 'queued' : 'backoff';
    } else this.#failForGood(id, error);
    this.#settle();
  }

  /** The node's timer fires. */
  fire(id: string): void {
    const fate = this.#nodeState(id);
    const { kind } = this.#node(id);
    if (fate.phase === 'backoff') fate.phase = 'queued';
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
    const fate = this.#nodeState(id);
    const role = decision === 'approved' ? 'on_approved' : 'on_rejected';
    const routable = this.#edges.some(
      (way) =>
        way.from === id &&
        way.role === 'choice' &&
        (way.when !== null || (way.to !== null && this.#node(way.to).kind.type === 'condition')),
    );
    if (fate.phase === 'held' && decision === 'approved') fate.phase = 'queued';
    else if (fate.phase === 'held' || (decision === 'rejected' && !routable && this.#outcomeEdges(id, role).length === 0))
      this.#failForGood(id, `approval rejected by ${userId}`);
    else {
      const output = { decision, approved: decision === 'approved', user_id: userId, comment: null };
      this.#complete(id, output, { [id]: output }, this.#outcomeEdges(id, role).length > 0 ? role : undefined);
    }
    this.#settle();
  }

  event(key: string, payload: Json): void {
    const [longest] = [...this.#nodeStates]
      .filter(([id, fate]) => fate.phase === 'waiting' && this.#waitsFor(id) === key)
      .sort(([, a], [, b]) => a.since - b.since);
    if (longest === undefined) this.#pendingEvents.push({ key, payload });
    else this.#deliver(longest[0], payload);
    this.#settle();
  }

  #liveness(way: ModelEdge): 'live' | 'dead' | 'open' {
    const fate = this.#nodeState(way.from);
    if (!ENDED_PHASES.has(fate.phase) || fate.phase === 'failed') return 'open';
    const live = way.role === 'wait' ? fate.completed : fate.chosen.has(way);
    if (live && way.role !== 'wait') return 'live';
    const roundsLeft = this.#loops.some(
      ({ body, backs }) =>
        body.has(way.from) && way.to !== null && !body.has(way.to) && backs.some((back) => this.#liveness(back) === 'open'),
    );
    return roundsLeft ? 'open' : live ? 'live' : 'dead';
  }

  #incoming(id: string): ModelEdge[] {
    return this.#edges.filter((way) => way.to === id && !this.#back.has(way));
  }

  #readiness(id: string): 'run' | 'skip' | 'not yet' {
    const fate = this.#nodeState(id);
    if (fate.phase !== 'idle') return 'not yet';
    if (fate.again) return 'run';
    const worths = this.#incoming(id).map((way) => this.#liveness(way));
    if (this.#isFirst(id) && worths.includes('live')) return 'run';
    if (worths.length === 0 || worths.includes('open')) return 'not yet';
    return worths.includes('live') ? 'run' : 'skip';
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
    return this.#edges.filter((way) => way.from === id && way.role === role);
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
    const phases = new Set([...this.#nodeStates.values()].map((fate) => fate.phase));
    if (phases.has('queued') || phases.has('backoff') || phases.has('held')) this.status = 'running';
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
    const fate = this.#nodeState(id);
    const { kind, policy } = this.#node(id);
    const live = this.#live(id);
    if (!fate.again) fate.received = live.at(-1)?.output ?? null;
    fate.again = false;
    fate.attempt = 0;
    if (this.#isControl(id)) {
      if (this.#isFirst(id)) this.#cancelLosers(id);
      this.#visit(id, 'ran');
      this.#control(id, live);
      return;
    }
    this.#visit(id, 'ran');
    fate.since = ++this.#clock;
    if (kind.type === 'human_approval') fate.phase = 'approval';
    else if (kind.type === 'wait') {
      fate.phase = 'waiting';
      const early = this.#pendingEvents.findIndex(({ key }) => key === this.#waitsFor(id));
      const [event] = early === -1 ? [] : this.#pendingEvents.splice(early, 1);
      if (event !== undefined) this.#deliver(id, event.payload);
    } else if (policy?.blocked_tools.length) this.#failForGood(id, `blocked by policy: t.${id}`);
    else fate.phase = policy?.require_approval_for.length ? 'held' : 'queued';
  }

  #live(id: string): NodeState[] {
    const sources = new Set(
      this.#incoming(id)
        .filter((way) => this.#liveness(way) === 'live')
        .map((way) => way.from),
    );
    return [...sources].map((source) => this.#nodeState(source)).sort((a, b) => a.order - b.order);
  }

  #control(id: string, live: readonly NodeState[]): void {
    const { kind } = this.#node(id);
    const fate = this.#nodeState(id);
    if (kind.type === 'limit_exceeded') {
      this.steps += 1;
      this.status = 'limit_exceeded';
    } else if (kind.type === 'join') {
      const output = this.#isFirst(id) ? (live[0]?.output ?? null) : this.#collected(id);
      this.#complete(id, output, kind.output_key === undefined ? null : { [kind.output_key]: output });
    } else this.#complete(id, fate.received, null);
  }

  #collected(id: string): Json {
    const { kind } = this.#node(id);
    const named = kind.type === 'join' ? kind.wait_for : [];
    const sources = [...new Set([...named, ...this.#incoming(id).map((way) => way.from)])];
    const outputOf = (source: string): Json => {
      const isLive = this.#incoming(id).some((way) => way.from === source && this.#liveness(way) === 'live');
      return isLive && !['condition', 'parallel'].includes(this.#node(source).kind.type) ? this.#nodeState(source).output : null;
    };
    return { outputs: sources.map(outputOf), by_source: Object.fromEntries(sources.map((source) => [source, outputOf(source)])) };
  }

  #deliver(id: string, payload: Json): void {
    this.#complete(id, payload, isObject(payload) ? payload : { [id]: payload });
  }

  #complete(id: string, output: Json, patch: Json, role?: ModelEdge['role']): void {
    const fate = this.#nodeState(id);
    Object.assign(fate, { phase: 'done', completed: true, output, order: ++this.#clock });
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
    const fate = this.#nodeState(id);
    if (this.#outcomeEdges(id, 'fallback_node').length === 0) {
      fate.phase = 'failed';
      this.#failures.push(id);
      return;
    }
    Object.assign(fate, {
      phase: 'done',
      completed: false,
      output: { error, node_id: id, attempt: fate.attempt },
      order: ++this.#clock,
    });
    if (!this.#isAtLimit()) this.#followEdges(id, 'fallback_node');
  }

  /** Determines the transitions that are taken when a node ends; a back edge starts the next iteration of its loop instead. */
  #followEdges(id: string, role?: ModelEdge['role']): void {
    const fate = this.#nodeState(id);
    const scope = { state: this.state, output: fate.output, input: {}, env: {} };
    const holds = (way: ModelEdge) => way.when !== null && truthy(evaluate(compileExpression(way.when), scope).value);
    const choices = this.#outcomeEdges(id, 'choice');
    const chosen = choices.find(holds);
    // A condition node has one default branch, wherever it is written; other nodes take all unconditional edges.
    const rest = choices.filter((way) => way.when === null);
    const { kind } = this.#node(id);
    const otherwise =
      kind.type === 'condition' && kind.branches.length > 0 ? rest.slice(0, 1) : [...rest, ...this.#outcomeEdges(id, 'all')];
    const live = role !== undefined ? this.#outcomeEdges(id, role) : chosen !== undefined ? [chosen] : otherwise;
    const back = live.find((way) => this.#back.has(way));
    if (back === undefined) {
      // Branches with the same target are one transition; edges with the same target are separate transitions.
      const isOne = kind.type === 'condition' && kind.branches.length > 0;
      fate.chosen = new Set(isOne ? choices.filter((way) => live.some((taken) => taken.to === way.to)) : live);
      return;
    }
    const loop = this.#loops.find(({ head }) => head === back.to);
    const { output } = fate;
    for (const inside of loop?.body ?? []) this.#nodeStates.set(inside, idleState());
    Object.assign(this.#nodeState(back.to ?? ''), { again: true, received: output });
  }

  /** A `first` join was reached: cancels everything that can only lead to it. */
  #cancelLosers(join: string): void {
    const sources = new Set(this.#incoming(join).map((way) => way.from));
    for (const id of this.#nodes.keys()) {
      const fate = this.#nodeState(id);
      const contained = fate.phase === 'failed' && sources.has(id);
      if (!contained && !(this.#before(join).has(id) && this.#onlyThrough(id, join))) continue;
      if (fate.phase === 'failed') this.#failures = this.#failures.filter((failed) => failed !== id);
      else if (ENDED_PHASES.has(fate.phase)) continue;
      else if (fate.phase !== 'idle') this.log.push(`cancelled:${id}:${this.#visits.get(id)}`);
      this.#nodeStates.set(id, { ...idleState(), phase: 'closed' });
    }
  }

  #before(join: string): Set<string> {
    const around = new Set(this.#loops.filter(({ body }) => body.has(join)).map(({ head }) => head));
    const before = (id: string) =>
      this.#edges.filter((way) => way.to === id && !(this.#back.has(way) && around.has(id))).map((way) => way.from);
    const found = reachableFrom([join], before);
    found.delete(join);
    return found;
  }

  /** Whether every path from `id` to an end passes through the join. A path that cannot end counts as ending at its back edge. */
  #onlyThrough(id: string, join: string): boolean {
    const routes = (node: string) => this.#edges.filter((way) => way.from === node && way.role !== 'wait');
    const ends = (node: string) => routes(node).length === 0 || routes(node).some((way) => way.to === null);
    const canEnd = (node: string) => [...reachableFrom([node], (from) => routes(from).map((way) => way.to))].some(ends);
    const isEnd = (node: string) => ends(node) || (!canEnd(node) && routes(node).some((way) => this.#back.has(way)));
    const avoiding = reachableFrom([id], (from) => routes(from).map((way) => (way.to === join ? null : way.to)));
    return ![...avoiding].some(isEnd);
  }

  #nodeState(id: string): NodeState {
    const fate = this.#nodeStates.get(id);
    if (fate === undefined) throw new Error(`no node ${id}`);
    return fate;
  }

  #node(id: string): Node {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }
}

function idleState(): NodeState {
  return {
    phase: 'idle',
    chosen: new Set(),
    completed: false,
    output: null,
    received: null,
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
      const isOutcome = (to: string, ways: readonly ModelEdge[]) => ways.some((way) => way.to === target(to));
      const ordinary = written.filter((edge) => edge.condition !== null || !isOutcome(edge.to, named));
      const takers = ordinary.length > 0 ? named : named.filter((way) => way.role !== 'fallback_node');
      for (const { to, condition: when } of written) {
        if (when !== null || !isOutcome(to, takers)) edges.push({ from, to: target(to), role: 'choice', when });
      }
      edges.push(...named);
    }
  }
  for (const node of workflow.nodes) {
    if (node.kind.type !== 'join') continue;
    for (const source of node.kind.wait_for) {
      if (!edges.some((way) => way.from === source && way.to === node.id))
        edges.push({ from: source, to: node.id, role: 'wait', when: null });
    }
  }
  const isSame = (a: ModelEdge, b: ModelEdge) => a.from === b.from && a.to === b.to && a.role === b.role && a.when === b.when;
  return edges.filter((way, i) => !edges.slice(0, i).some((earlier) => isSame(earlier, way)));
}
