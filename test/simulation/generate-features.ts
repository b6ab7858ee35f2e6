import { compile } from '../../machines/compile/index.ts';
import { InvalidWorkflow } from '../../machines/diagnostics.ts';
import { normalise } from '../../machines/ir/normalise.ts';
import { isBudgetNode } from '../../machines/ir/workflow.ts';
import type { Json, JsonObject } from '../../machines/json.ts';
import { validate } from '../../machines/validate/index.ts';
import type { Random } from '../support/random.ts';
import { type NodeSpec, tool } from '../support/workflows.ts';
import { TASKS, VERDICTS } from './environment/models.ts';
import { randomStream } from './environment/random-streams.ts';

interface Feature {
  readonly name: string;
  readonly chance: number;
  /** The document with the feature; one that is not valid is not used. */
  readonly add: (document: JsonObject, random: Random) => JsonObject;
}

/**
 * Adds, each with a probability, what random graphs do not have: finalizers, budgets, policies, limits of autonomy, agents, data policies.
 * `excluded` may name them (`w0.budget`). Returns the document and the names of what was added.
 */
export function addFeatures(
  seed: number,
  id: string,
  plain: JsonObject,
  excluded: ReadonlySet<string>,
): { readonly document: JsonObject; readonly parts: readonly string[] } {
  let document = plain;
  const parts: string[] = [];
  for (const { name, chance, add } of FEATURES) {
    const part = `${id}.${name}`;
    const random = randomStream(seed, 'feature', part);
    if (!random.chance(chance)) continue;
    const changed = add(document, random);
    if (excluded.has(part) || !isValid(changed) || !compiles(changed)) continue;
    document = changed;
    parts.push(part);
  }
  return { document, parts };
}

/** Without personal data that tools return in the log, every restart depends on the originals. */
const FEATURES: readonly Feature[] = [
  { name: 'judge', chance: 0.15, add: withJudge },
  { name: 'gate', chance: 0.12, add: withGate },
  { name: 'costly', chance: 0.03, add: withCostlyCondition },
  { name: 'coordinator', chance: 0.12, add: withCoordinator },
  { name: 'map', chance: 0.2, add: withMap },
  { name: 'function', chance: 0.25, add: withFunction },
  { name: 'agent', chance: 0.2, add: withAgent },
  { name: 'autonomy', chance: 0.2, add: withAutonomy },
  { name: 'policy', chance: 0.12, add: withPolicy },
  { name: 'budget', chance: 0.25, add: withBudget },
  { name: 'finalizers', chance: 0.25, add: withFinalizers },
  { name: 'data', chance: 0.2, add: withDataPolicy },
];

/** Logs what its attempts have decided, which later ones keep. */
function withCoordinator(document: JsonObject, random: Random): JsonObject {
  return mapTools(document, random, 2, (node, kind) => {
    const { tool_ref: _tool, ...rest } = kind;
    return { ...node, kind: { ...rest, type: 'coordinator', task: 'choose', required_skills: ['work'] } };
  });
}

function withAgent(document: JsonObject, random: Random): JsonObject {
  return mapTools(document, random, 1, (node, kind) => {
    const lanes = random.between(1, 3);
    const tools = ['g0', 'g1'].slice(0, random.between(1, 2)).map((name) => ({
      name,
      tool: `t.${name}`,
      ...(random.chance(0.2) ? { policy: { require_approval_for: ['*'] } } : {}),
    }));
    const { tool_ref: _tool, ...rest } = kind;
    const prompt = `${random.pick(TASKS)} of {{ state.mark }}`;
    const agent = { ...rest, type: 'agent', model: 'gpt-4o', prompt, tools, max_turns: random.between(1, 4) };
    return { ...node, kind: { ...agent, ...(lanes > 1 ? { parallel_tool_calls: lanes } : {}) } };
  });
}

/** The tool of all durable functions, which every process has. */
export const FUNCTION_TOOL = 'f.run';

function withFunction(document: JsonObject, random: Random): JsonObject {
  return mapTools(document, random, 2, (node, { tool_ref: _tool, ...kind }) => ({
    ...node,
    kind: { ...kind, type: 'durable_function', function_ref: FUNCTION_TOOL, input_mapping: { mark: '{{ state.mark }}' } },
  }));
}

/** Tools and children that do their work once for every item of a list. */
function withMap(document: JsonObject, random: Random): JsonObject {
  const isWork = ({ type }: JsonObject): boolean => type === 'tool' || type === 'subgraph';
  return mapNodes(document, random, 2, isWork, (node, { output_key, ...kind }) => {
    const items = Array.from({ length: random.pick([0, 1, 3, 3, 5]) }, () => ({ mark: '{{ state.mark }}' }));
    const on_item_error = random.pick<Json>(['fail', 'collect', { tolerate: 1 }]);
    const max_concurrency = random.between(1, 3);
    return {
      ...node,
      kind: {
        type: 'map',
        items,
        do: { ...kind, input_mapping: { mark: '{{ item.mark }}' } },
        max_concurrency,
        on_item_error,
        ...(random.chance(0.2) ? { strategy: 'first' } : {}),
        ...(random.chance(0.15) ? { timeout_total_secs: random.pick([5, 30]) } : {}),
        output_key: output_key ?? `list ${String(node.id)}`,
      },
    };
  });
}

/** Models that judge, in the place of assertions. */
function withJudge(document: JsonObject, random: Random): JsonObject {
  const scorers = [{ type: 'llm_judge', model: 'gpt-4o', rubric: `${random.pick(VERDICTS)} of {{ state.mark }}`, min_score: 3 }];
  return mapNodes(
    document,
    random,
    2,
    ({ type }) => type === 'eval',
    (node, kind) => ({ ...node, kind: { ...kind, scorers } }),
  );
}

/** A policy node that judges given names. */
function withGate(document: JsonObject, random: Random): JsonObject {
  const names = (count: number): string[] => Array.from({ length: count }, () => `t.n${random.between(0, 3)}`);
  const targets = ['end', ...(document.nodes as readonly JsonObject[]).map(({ id }) => String(id))];
  const policies = { gate: { require_approval_for: names(random.between(0, 2)), blocked_tools: names(random.between(0, 2)) } };
  const gated = mapTools(document, random, 2, (node) => {
    const { retry_policy: _retry, ...rest } = node;
    const blocked = random.pick([{}, { on_violation: 'warn' }, { on_blocked: random.pick(targets) }]);
    const policy_ref = random.chance(0.2) ? 'tenant' : 'gate';
    return { ...rest, kind: { type: 'policy', policy_ref, subject: names(random.between(1, 2)), ...blocked } };
  });
  return { ...gated, policies };
}

/** Text of 100,000 characters, and enough work on it for all that a step may do. */
const COSTLY = `len("aaaaaaaaaa"${'.replace("a", "aaaaaaaaaa")'.repeat(4)}${'.upper().lower()'.repeat(45)}) > 0`;
/** The condition of an edge that no step can evaluate if `ok` holds. */
export const COSTLY_CONDITION = `state.ok and ${COSTLY}`;

/** The only way on from a tool node has the condition. */
function withCostlyCondition(document: JsonObject, random: Random): JsonObject {
  const edges = document.edges as readonly JsonObject[];
  const nodes = document.nodes as readonly JsonObject[];
  const isTool = (id: unknown): boolean => nodes.some((node) => node.id === id && (node.kind as JsonObject).type === 'tool');
  const only = edges.filter(({ from }) => isTool(from) && edges.filter((edge) => edge.from === from).length === 1);
  if (only.length === 0) return document;
  const changed = random.pick(only);
  return { ...document, edges: edges.map((edge) => (edge === changed ? { ...edge, condition: COSTLY_CONDITION } : edge)) };
}

function withAutonomy(document: JsonObject, random: Random): JsonObject {
  const constraints: JsonObject = Object.fromEntries(
    (
      [
        ['max_iterations', random.between(1, 2)],
        ['max_tool_calls', random.between(1, 2)],
        ['token_budget', random.pick([50, 200])],
        ['cost_budget_usd', random.pick([0.5, 2])],
        ['time_budget_secs', random.pick([1, 10])],
      ] as const
    ).filter(() => random.chance(0.5)),
  );
  const level = random.chance(0.3) ? 'guided' : 'bounded_autonomous';
  const threshold = random.chance(0.4) ? { circuit_breaker_threshold: random.between(1, 2) } : {};
  const isWork = ({ type }: JsonObject): boolean => type === 'tool' || type === 'agent';
  return mapNodes(document, random, 2, isWork, (node) => ({ ...node, autonomy: { level, constraints }, ...threshold }));
}

function withPolicy(document: JsonObject, random: Random): JsonObject {
  const names = (count: number): Json => Array.from({ length: count }, () => `t.n${random.between(0, 7)}`);
  const policy = { require_approval_for: names(2), blocked_tools: names(random.between(0, 1)) };
  return { ...document, policy };
}

function withBudget(document: JsonObject, random: Random): JsonObject {
  const caps: JsonObject = random.chance(0.5)
    ? { cost_budget_usd: random.pick([0.5, 2, 4]) }
    : { token_budget: { [random.pick(['total_tokens', 'input_tokens', 'output_tokens'])]: random.pick([40, 200]) } };
  const action = random.pick(['fail', 'pause', 'over', 'continue', 'continue', 'condition']);
  const budgeted = { ...document, ...caps };
  if (action === 'continue') return { ...budgeted, continue_as_new: true };
  if (action === 'condition') return withCondition(budgeted, random);
  if (action !== 'over') return { ...budgeted, on_budget_exceeded: action };
  const to = random.chance(0.5) ? 'end' : String(random.pick(document.nodes as readonly JsonObject[]).id);
  return {
    ...budgeted,
    nodes: [...(document.nodes as readonly JsonObject[]), tool('over')],
    edges: [...(document.edges as readonly JsonObject[]), { from: 'over', to, condition: null }],
    on_budget_exceeded: 'over',
  };
}

/** A condition that holds once the budget is exceeded. */
function withCondition(document: JsonObject, random: Random): JsonObject {
  const edges = document.edges as readonly JsonObject[];
  const at = random.between(0, Math.max(0, edges.length - 1));
  return { ...document, edges: edges.map((edge, i) => (i === at ? { ...edge, condition: 'state.__cost_exceeded__' } : edge)) };
}

function withFinalizers(document: JsonObject, random: Random): JsonObject {
  const finalizers = ['z0', 'z1'].slice(0, random.between(1, 2)).map((id): NodeSpec => {
    const input_mapping = { mark: '{{ state.mark }}', status: '{{ output.status }}', error: '{{ output.error }}' };
    const key = random.chance(0.3) ? { output_key: id } : {};
    const kind = { type: 'finalizer', tool_ref: `t.${id}`, run_on: random.pick(['always', 'success', 'failure']), input_mapping };
    return { id, kind: { ...kind, ...key }, retry_policy: random.pick(['once', 'twice', 'at_once']), ...timeout(random) };
  });
  return { ...document, nodes: [...(document.nodes as readonly JsonObject[]), ...finalizers] };
}

function timeout(random: Random): JsonObject {
  return random.chance(0.4) ? { node_timeout_secs: random.pick([2, 10]) } : {};
}

function withDataPolicy(document: JsonObject, random: Random): JsonObject {
  const redaction_mode = random.pick(['remove', 'remove', 'mask', 'hash']);
  const outputs = random.chance(0.2) ? { retain_outputs: false } : {};
  return { ...document, data_policy: { pii_fields: ['$.mark', '$..n'], redaction_mode, ...outputs } };
}

/** Changes up to `count` tool nodes without a policy of their own. */
function mapTools(
  document: JsonObject,
  random: Random,
  count: number,
  change: (node: JsonObject, kind: JsonObject) => JsonObject,
): JsonObject {
  return mapNodes(document, random, count, ({ type }) => type === 'tool', change);
}

function mapNodes(
  document: JsonObject,
  random: Random,
  count: number,
  isIt: (kind: JsonObject) => boolean,
  change: (node: JsonObject, kind: JsonObject) => JsonObject,
): JsonObject {
  const nodes = document.nodes as readonly JsonObject[];
  const candidates = nodes.filter((node) => node.policy === undefined && isIt(node.kind as JsonObject));
  const changed = new Set(Array.from({ length: Math.min(count, candidates.length) }, () => random.pick(candidates)));
  return { ...document, nodes: nodes.map((node) => (changed.has(node) ? change(node, node.kind as JsonObject) : node)) };
}

export function isValid(document: JsonObject): boolean {
  const { workflow, diagnostics } = validate(document);
  return workflow !== null && diagnostics.every(({ severity }) => severity !== 'error');
}

/** Only a compiler knows whether an execution may continue at a node beyond its budget. */
function compiles(document: JsonObject): boolean {
  if (!isBudgetNode(String(document.on_budget_exceeded ?? 'fail'))) return true;
  try {
    compile(normalise(document).workflow, '');
    return true;
  } catch (error) {
    if (error instanceof InvalidWorkflow) return false;
    throw error;
  }
}
