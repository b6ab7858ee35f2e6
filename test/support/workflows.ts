import fc from 'fast-check';
import { normalise } from '../../machines/ir/normalise.ts';
import type { Workflow } from '../../machines/ir/workflow.ts';
import type { Json, JsonObject } from '../../machines/json.ts';

/** An edge `from → to`, with an optional condition. */
export type EdgeSpec = readonly [from: string, to: string, condition?: string];
export type NodeSpec = JsonObject & { readonly id: string };

/** A workflow of the given nodes that starts with the first one. */
export function workflow(nodes: readonly NodeSpec[], edges: readonly EdgeSpec[] = [], more: JsonObject = {}): Workflow {
  return normalise(document(nodes, edges, more)).workflow;
}

export function document(nodes: readonly NodeSpec[], edges: readonly EdgeSpec[] = [], more: JsonObject = {}): JsonObject {
  return {
    workflow_id: 'w',
    version: '1',
    start_node: nodes[0]?.id ?? '',
    nodes,
    edges: edges.map(([from, to, condition]) => ({ from, to, condition: condition ?? null })),
    retry_policies: RETRIES,
    ...more,
  };
}

const policy = (max_attempts: number, initial_delay: number, more: JsonObject = {}): JsonObject => ({
  max_attempts,
  backoff: 'fixed',
  initial_delay,
  max_delay: 60,
  jitter: false,
  retryable_on: [],
  ...more,
});

/** Retry policies of every workflow created here. */
const RETRIES: JsonObject = {
  once: policy(1, 0),
  twice: policy(2, 5),
  at_once: policy(3, 0),
  jittered: policy(9, 10, { jitter: true }),
};

type Keys = Readonly<Record<string, Json>>;
const node = (id: string, kind: JsonObject, more: Keys = {}): NodeSpec => ({ id, kind: { ...kind, ...more } });

/** A tool node with one attempt; an object result becomes the state patch. */
export const tool = (id: string, more: Keys = {}): NodeSpec => ({
  ...node(id, { type: 'tool', tool_ref: `t.${id}` }, more),
  retry_policy: 'once',
});
/** A scoring node with one attempt. */
export const evaluation = (id: string, more: Keys = {}): NodeSpec => ({
  ...node(id, { type: 'eval', scorers: [{ type: 'assertion', checks: ['output.ok'] }] }, more),
  retry_policy: 'once',
});
/** A tool node with another retry policy. */
export const retried = (id: string, retry_policy: string, more: Keys = {}): NodeSpec => ({ ...tool(id, more), retry_policy });
export const parallel = (id: string, branches: readonly string[], more: Keys = {}): NodeSpec =>
  node(id, { type: 'parallel', branches }, more);
export const join = (id: string, more: Keys = {}): NodeSpec => node(id, { type: 'join' }, more);
export const first = (id: string, more: Keys = {}): NodeSpec => join(id, { merge_strategy: 'first', ...more });
export const approval = (id: string, more: Keys = {}): NodeSpec =>
  node(id, { type: 'human_approval', description: `decide ${id}` }, more);
export const wait = (id: string, more: Keys = {}): NodeSpec => node(id, { type: 'wait', condition: 'external_event' }, more);
export const subgraph = (id: string, more: Keys = {}): NodeSpec => ({
  ...node(id, { type: 'subgraph', workflow_ref: 'inner' }, more),
  retry_policy: 'twice',
});
export const limitExceeded = (id: string): NodeSpec => node(id, { type: 'limit_exceeded' });
/** `branches`: pairs of condition and target; a null condition is the default. */
export const condition = (id: string, ...branches: readonly (readonly [string | null, string])[]): NodeSpec =>
  node(id, { type: 'condition', branches: branches.map(([text, target]) => ({ condition: text, target })) });

const CONDITIONS = ['state.x == 1', 'output.n > 1', 'n > 2', 'state.ok', 'output.ok', "decision == 'approved'"] as const;

/** Specification of one node of a random workflow; numbers are steps forward (0 = the end) or, for `back`, from the start. */
const spec = fc.record({
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant('tool' as const) },
    { weight: 2, arbitrary: fc.constantFrom('condition', 'parallel', 'collect', 'first', 'custom', 'approval', 'wait', 'timer') },
    { weight: 1, arbitrary: fc.constantFrom('limit', 'held', 'blocked') },
    { weight: 2, arbitrary: fc.constantFrom('halts', 'continues', 'escalates', 'retries') },
  ),
  to: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 3 }),
  conditions: fc.array(fc.option(fc.constantFrom(...CONDITIONS), { freq: 2 }), { minLength: 3, maxLength: 3 }),
  back: fc.option(fc.nat(9), { freq: 5 }),
  outcome: fc.option(fc.integer({ min: 0, max: 3 }), { freq: 3 }),
  waitsFor: fc.option(fc.nat(9), { freq: 5 }),
  retry: fc.constantFrom('once', 'twice', 'at_once'),
  outputKey: fc.option(fc.constantFrom('x', 'ok'), { freq: 5 }),
});
export type Spec = typeof spec extends fc.Arbitrary<infer S> ? S : never;

/** Specifications of up to `size` nodes. */
export function specs(size: number): fc.Arbitrary<Spec[]> {
  return fc.array(spec, { minLength: 2, maxLength: size });
}

/** Documents of up to `size` nodes. Many have invalid loops and joins; filter them with `fc.pre`. */
export function documents(size: number): fc.Arbitrary<JsonObject> {
  return specs(size).map(documentOf);
}

export function documentOf(specs: readonly Spec[]): JsonObject {
  const nodes: NodeSpec[] = [];
  const edges: EdgeSpec[] = [];
  specs.forEach((each, i) => {
    nodes.push(nodeOf(each, i, specs.length));
    if (each.kind === 'condition' || each.kind === 'parallel') return;
    each.to.forEach((steps, k) => {
      const text = k > 0 ? each.conditions[k] : null;
      const to = forward(i, steps, specs.length);
      edges.push(text === null || text === undefined ? [name(i), to] : [name(i), to, text]);
    });
    if (each.back !== null) edges.push([name(i), name(each.back % (i + 1)), each.conditions[0] ?? 'state.ok']);
  });
  return document(nodes, edges);
}

function nodeOf(each: Spec, i: number, size: number): NodeSpec {
  const id = name(i);
  const targets = each.to.map((steps) => forward(i, steps, size));
  const fallback = each.outcome === null ? {} : { fallback_node: forward(i, each.outcome, size) };
  const key = each.outputKey === null ? {} : { output_key: each.outputKey };
  const waitFor = each.waitsFor === null || i === 0 ? {} : { wait_for: [name(each.waitsFor % i)] };
  switch (each.kind) {
    case 'condition': {
      const back = each.back === null ? [] : [[each.conditions[0] ?? 'state.ok', name(each.back % (i + 1))] as const];
      return condition(
        id,
        ...back,
        ...targets.map((target, k) => [k > 0 ? (each.conditions[k] ?? null) : null, target] as const),
      );
    }
    case 'parallel':
      return parallel(
        id,
        targets.filter((target) => target !== 'end'),
      );
    case 'collect':
      return join(id, { ...waitFor, ...key });
    case 'first':
      return first(id, { ...waitFor, ...key });
    case 'custom':
      return {
        ...join(id, { ...waitFor, ...key, merge_strategy: { custom: { function_ref: 'm:f' } } }),
        retry_policy: each.retry,
      };
    case 'approval':
      return approval(id, {
        ...(each.outcome === null ? {} : { on_rejected: forward(i, each.outcome, size), timeout_secs: 60 }),
      });
    case 'wait':
      return wait(id, {
        correlation_key: `key${i % 2}`,
        ...(each.outcome === null ? {} : { condition: 'either', timeout_secs: 60, on_timeout: forward(i, each.outcome, size) }),
      });
    case 'timer':
      return wait(id, { condition: 'timer', ...(i % 2 === 0 ? { timeout_secs: 60 } : { until: '1m' }) });
    case 'limit':
      return limitExceeded(id);
    case 'halts':
      return evaluation(id, { on_fail: 'halt', ...fallback });
    case 'continues':
      return evaluation(id, { on_fail: 'log_and_continue', ...fallback });
    case 'escalates':
      return evaluation(id, {
        on_fail: 'escalate',
        ...(each.outcome === null ? fallback : { on_rejected: forward(i, each.outcome, size), review_timeout_secs: 60 }),
      });
    case 'retries': {
      const back = each.waitsFor === null || i === 0 ? {} : { retry_node: name(each.waitsFor % i) };
      return evaluation(id, { on_fail: 'retry_with_feedback', max_retries: 1 + (each.outcome ?? 0), ...back });
    }
    case 'held':
      return { ...retried(id, each.retry, fallback), policy: { require_approval_for: ['*'] } };
    case 'blocked':
      return { ...retried(id, each.retry, fallback), policy: { blocked_tools: ['t.*'] } };
    default:
      return retried(id, each.retry, { ...fallback, ...key });
  }
}

const name = (i: number): string => `n${i}`;
const forward = (i: number, steps: number, size: number): string => (steps === 0 || i + steps >= size ? 'end' : name(i + steps));
