import type { Json, JsonObject } from '../../machines/json.ts';
import type { Child, Message, Usage, Visit } from '../../machines/messages.ts';
import type { Effect } from '../../machines/run.ts';
import { isEnding, resettableFailures } from '../../machines/step/index.ts';
import type { Driver } from './driver.ts';
import { hasEnded } from './lockstep.ts';
import { Random } from './random.ts';
import { type NodeSpec, retried, subgraph, tool } from './workflows.ts';

const RUN_ON = ['always', 'success', 'failure'] as const;
const ACTIONS = ['fail', 'pause', 'route', 'continue', 'guard', 'none'] as const;

/** A document with finalizers, budgets, children and limits of agents, as `seed` chooses. */
export function crossed(document: JsonObject, seed: number): JsonObject {
  const random = new Random(seed);
  const nodes = (document.nodes as unknown as readonly NodeSpec[]).map((node): NodeSpec => {
    if ((node.kind as JsonObject).type !== 'tool') return node;
    if (random.chance(0.15)) return { ...subgraph(node.id), retry_policy: random.pick(['once', 'twice', 'at_once']) };
    if (random.chance(0.15)) return { ...node, autonomy: { constraints: { cost_budget_usd: 2 } }, circuit_breaker_threshold: 2 };
    return node;
  });
  const finalizers = Array.from({ length: random.between(0, 2) }, (_, i) => ({
    ...retried(`f${i}`, random.pick(['once', 'at_once'])),
    kind: { type: 'finalizer', tool_ref: 't.f', run_on: random.pick(RUN_ON), ...(i === 0 ? { output_key: 'f' } : {}) },
  }));
  const action = random.pick(ACTIONS);
  let edges = document.edges as unknown as readonly JsonObject[];
  const over: NodeSpec[] = [];
  if (action === 'route') {
    over.push(tool('over'), retried('after', 'twice'));
    edges = [...edges, { from: 'over', to: 'after', condition: null }];
    if (random.chance(0.5)) edges = [...edges, { from: 'after', to: random.pick(nodes).id, condition: 'state.ok' }];
  }
  if (action === 'guard')
    edges = edges.map((edge) =>
      edge.condition === null || random.chance(0.5) ? edge : { ...edge, condition: 'state.__cost_exceeded__' },
    );
  const onExceeded = { fail: 'fail', pause: 'pause', route: 'over', continue: null, guard: null, none: null }[action];
  return {
    ...document,
    nodes: [...nodes, ...over, ...finalizers],
    edges: edges as unknown as Json,
    ...(action === 'none' ? {} : { cost_budget_usd: random.between(0, 3), on_budget_exceeded: onExceeded }),
    ...(action === 'continue' ? { continue_as_new: true } : {}),
  };
}

const outputs: readonly Json[] = [{ n: 1, ok: true }, { n: 3, x: 1 }, { ok: false }, 'text', null, { passed: true, scorers: [] }];

/** What clients and workers know of an execution besides its log. */
export class Surroundings {
  /** Patches of work beside the workflow that were accepted, by key of the state. */
  readonly accepted: Record<string, Json> = {};
  /** Attempts and children that were begun and have not ended, by node. */
  readonly open = new Map<string, string>();
  enqueued = 0;

  /** Sends one random message. False = it was refused. */
  move(driver: Driver, roll: number): boolean {
    const message = this.#messageFor(driver, new Random(roll));
    if (message === null) return false;
    if (message.type === 'retry' && resettableFailures(driver.run).length === 0) return false;
    const stepped = driver.try(message);
    if ('refused' in stepped) return false;
    const endsAttempt = message.type === 'done' || message.type === 'fail' || message.type === 'requeue';
    if (endsAttempt && message.activation > 0) this.open.delete(message.node);
    if (message.type === 'child' && ['completed', 'failed'].includes(message.change.status)) this.open.delete(message.node);
    if (message.type === 'enqueue') this.enqueued += 1;
    if ((message.type === 'done' || message.type === 'fail') && message.activation === 0) {
      this.enqueued -= 1;
      if (message.type === 'done') Object.assign(this.accepted, message.patch);
    }
    this.begin(stepped.effects);
    return true;
  }

  begin(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === 'work' || effect.type === 'spawn') this.open.set(effect.node, `${effect.activation}:${effect.attempt}`);
      if (effect.type === 'abandon' || effect.type === 'cancel_child') this.open.delete(effect.node);
    }
  }

  #messageFor(driver: Driver, random: Random): Message | null {
    if (hasEnded(driver)) return random.chance(0.7) ? { type: 'retry' } : { type: 'resume' };
    const usage: Usage | undefined = random.chance(0.6) ? { cost_usd: 1, input_tokens: 3 } : undefined;
    const used = usage === undefined ? {} : { usage };
    if (random.chance(0.02)) return { type: 'cancel', reason: 'enough' };
    if (random.chance(0.006)) return { type: 'abort', error: 'internal error: it broke' };
    if (random.chance(0.05)) return { type: 'pause', reason: null };
    if (random.chance(0.08) || (driver.run.status === 'paused' && random.chance(0.4)))
      return random.chance(0.5)
        ? { type: 'resume' }
        : { type: 'resume', budgets: { token_budget: null, cost_budget_usd: random.between(5, 30) } };
    if (random.chance(0.06)) return { type: 'enqueue', node: random.pick(driver.program.workflow.nodes).id, queue: 'general' };
    if (this.enqueued > 0 && random.chance(isEnding(driver.run) ? 0.5 : 0.15)) {
      const visit = { node: random.pick(driver.program.workflow.nodes).id, activation: 0, attempt: 0 };
      const patch = { [`beside${driver.run.seq}`]: driver.run.seq };
      return random.chance(0.6)
        ? { type: 'done', ...visit, output: {}, patch, durationMs: 1, ...used }
        : { type: 'fail', ...visit, error: 'beside', retryable: false, ...used };
    }
    if (random.chance(0.06)) return { type: 'event', key: `key${random.between(0, 1)}`, payload: random.pick(outputs) };
    return aboutNode(driver, random, used);
  }
}

function aboutNode(driver: Driver, random: Random, used: { readonly usage?: Usage }): Message | null {
  if (driver.active.length === 0) return null;
  const { node, activation, attempt, phase, waitsFor, childId, local } = random.pick(driver.active);
  const visit: Visit = { node, activation, attempt };
  const timer = [...driver.timers.values()].find((armed) => armed.node === node);
  const fire: Message | null = timer === undefined ? null : { type: 'timer', id: timer.id };
  switch (phase) {
    case 'queued':
    case 'running':
      if (driver.program.tables.nodeOf(node).kind.type === 'subgraph')
        return child(visit, `exec_child_${driver.run.seq}`, random.chance(0.2) ? { status: 'waiting' } : { status: 'started' });
      if (phase === 'queued' && random.chance(0.3))
        return { type: 'claimed', ...visit, workerId: 'worker-1', ...(local ? { local } : {}) };
      if (phase === 'running' && random.chance(0.1)) return { type: 'requeue', ...visit };
      if (random.chance(0.1) && fire !== null) return fire;
      if (random.chance(0.35)) return { type: 'fail', ...visit, error: 'boom', retryable: random.chance(0.5), ...used };
      return { type: 'done', ...visit, output: random.pick(outputs), durationMs: 7, ...used };
    case 'child': {
      const totals = used.usage === undefined ? {} : { usage: { input_tokens: 3, output_tokens: 0, cost_usd: 1 } };
      const changes: readonly Child['change'][] = [
        { status: 'paused' },
        { status: 'running' },
        { status: 'continued', nextId: `exec_child_${driver.run.seq}`, ...totals },
        { status: 'completed', result: { ok: true }, ...totals },
        { status: 'failed', error: 'child failed', ...totals },
      ];
      return child(visit, childId ?? '', random.pick(changes));
    }
    case 'approval':
    case 'awaiting_approval':
      if (phase === 'approval' && fire !== null && random.chance(0.2)) return fire;
      return {
        type: 'decide',
        node,
        decision: random.chance(0.6) ? 'approved' : 'rejected',
        userId: 'ann',
        comment: null,
        patch: random.chance(0.3) ? { decided: activation } : null,
      };
    case 'waiting':
      return waitsFor === null || random.chance(0.3) ? fire : { type: 'event', key: waitsFor, payload: random.pick(outputs) };
    default:
      return fire;
  }
}

function child(visit: Visit, childId: string, change: Child['change']): Message {
  return { type: 'child', ...visit, childId, childWorkflowId: 'inner', change };
}
