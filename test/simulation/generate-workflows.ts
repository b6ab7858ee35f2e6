import fc from 'fast-check';
import type { JsonObject } from '../../machines/json.ts';
import type { Random } from '../support/random.ts';
import {
  approval,
  document,
  documentOf,
  type EdgeSpec,
  first,
  limitExceeded,
  type NodeSpec,
  parallel,
  retried,
  type Spec,
  specs,
  tool,
  wait,
} from '../support/workflows.ts';
import { randomStream } from './environment/random-streams.ts';
import { generateAgent } from './generate-agents.ts';
import { addFeatures, isValid } from './generate-features.ts';
import type { Plan } from './plan.ts';

const MAX_NODES = 8;
/** Without a mapping, parent and child would copy their states into each other in each iteration. */
const MARK: JsonObject = { mark: '{{ state.mark }}' };

/** Of what there is too little in a plan: slots for attempts, or live executions, for which children wait; null = neither. */
export type Crowd = 'slots' | 'children' | null;

export function crowdOf(seed: number): Crowd {
  const roll = randomStream(seed, 'crowd').fraction();
  return roll < 0.05 ? 'slots' : roll < 0.12 ? 'children' : null;
}

/**
 * Generates up to three random workflows; earlier ones start later ones as children. `excluded` has nodes to leave out (`w0.n3`). Returns an
 * empty list if the remaining nodes are not a valid workflow.
 */
export function generateWorkflows(seed: number, excluded: ReadonlySet<string>): Plan['workflows'] {
  const random = randomStream(seed, 'workflows');
  const crowd = crowdOf(seed);
  const count = random.between(crowd === 'children' ? 2 : 1, 3);
  const workflows = [];
  for (let i = 0; i < count; i += 1) {
    const id = `w${i}`;
    const children = Array.from({ length: count - i - 1 }, (_, k) => `w${i + k + 1}`);
    const agent = crowd === null ? generateAgent(randomStream(seed, id, 'agent'), id) : null;
    const document = agent ?? generateValid(randomStream(seed, id), id, children, excluded, i === 0 ? crowd : null);
    if (document === null) return [];
    // Of an agent, no node can be left out.
    const nodes = agent === null ? (document.nodes as readonly unknown[]).map((_, n) => `${id}.n${n}`) : [];
    const featured = addFeatures(seed, id, document, excluded);
    workflows.push({ id, document: featured.document, parts: [...nodes, ...featured.parts] });
  }
  return workflows;
}

/** Branches that race for a `first` join, possibly in a loop: started work is often cancelled, even in the same step. */
function generateRace(random: Random, id: string, children: readonly string[], crowd: Crowd): JsonObject {
  const branches = ['n2', 'n3', 'n4'].slice(0, random.between(crowd === null ? 2 : 3, 3));
  const branch = (name: string): NodeSpec => {
    if (children.length > 0 && random.chance(crowd === 'children' ? 0.85 : 0.4)) return childOf(name, random.pick(children));
    if (crowd === 'slots') return retried(name, 'twice');
    const roll = random.fraction();
    if (roll < 0.4) return retried(name, random.pick(['once', 'twice', 'at_once']));
    if (roll < 0.65) return wait(name, { correlation_key: `key${random.between(0, 1)}` });
    if (roll < 0.8) return wait(name, { condition: 'timer', timeout_secs: random.pick([1, 5]) });
    if (roll < 0.9) return { ...tool(name, { fallback_node: 'n5' }), policy: { blocked_tools: ['t.*'] } };
    return approval(name, { timeout_secs: random.pick([1, 20]), fallback_node: 'n5' });
  };
  const drawn = branches.map(branch);
  const timeouts = { node_timeout: random.pick([2, 10, 40]) };
  if (random.chance(0.25)) return { ...limited(drawn), workflow_id: id, timeouts };
  const nodes = [tool('n0'), parallel('n1', branches), ...drawn, first('n5', { wait_for: branches }), tool('n6')];
  const rounds: EdgeSpec[] = random.chance(0.5) ? [['n6', 'n0', 'state.n > 1']] : [];
  const edges: EdgeSpec[] = [
    ['n0', 'n1'],
    ...branches.map((name): EdgeSpec => [name, 'n5']),
    ['n5', 'n6'],
    ['n6', 'end'],
    ...rounds,
  ];
  return { ...document(nodes, edges), workflow_id: id, timeouts };
}

function childOf(id: string, workflow_ref: string): NodeSpec {
  return { id, kind: { type: 'subgraph', workflow_ref, input_mapping: MARK }, retry_policy: 'twice' };
}

/** Branches of which the waiting ones end the execution: other work is cancelled, even in the step that starts it. */
function limited(branches: readonly NodeSpec[]): JsonObject {
  const target = ({ kind }: NodeSpec): string =>
    ['tool', 'subgraph'].includes(String((kind as JsonObject).type)) ? 'end' : 'n5';
  const names = branches.map(({ id }) => id);
  const edges: EdgeSpec[] = [['n0', 'n1'], ...branches.map((each): EdgeSpec => [each.id, target(each)])];
  return document([tool('n0'), parallel('n1', names), ...branches, limitExceeded('n5')], edges);
}

function generateValid(
  random: Random,
  id: string,
  children: readonly string[],
  excluded: ReadonlySet<string>,
  crowd: Crowd,
): JsonObject | null {
  if (crowd !== null || random.chance(0.3)) {
    const race = generateRace(random, id, children, crowd);
    if (isValid(race)) return [...excluded].some((part) => part.startsWith(`${id}.n`)) ? null : race;
  }
  for (let size = MAX_NODES; ; size = Math.max(2, size - 1)) {
    const [drawn = []] = fc.sample(specs(size), { seed: random.between(1, 0x7fff_ffff), numRuns: 1 });
    const settings = generateSettings(random, drawn, children);
    if (!isValid(documentFrom(id, drawn, settings))) continue;
    const keeps = drawn.map((_, n) => !excluded.has(`${id}.n${n}`));
    if (keeps.every(Boolean)) return documentFrom(id, drawn, settings);
    const nodes = settings.nodes.filter((_, n) => keeps[n]);
    const document = documentFrom(
      id,
      drawn.filter((_, n) => keeps[n]),
      { ...settings, nodes },
    );
    return keeps.some(Boolean) && isValid(document) ? document : null;
  }
}

interface Settings {
  readonly timeouts: JsonObject;
  /** By node: duration of its wait, and the workflow that it starts, if any. */
  readonly nodes: readonly { readonly waitSecs: number; readonly child: string | null }[];
}

function generateSettings(random: Random, drawn: readonly Spec[], children: readonly string[]): Settings {
  return {
    timeouts: {
      node_timeout: random.pick([2, 10, 40]),
      ...(random.chance(0.15) ? { workflow_timeout: random.pick([5, 30, 90]) } : {}),
    },
    nodes: drawn.map(() => ({
      waitSecs: random.pick([1, 5, 20]),
      child: children.length > 0 && random.chance(0.25) ? random.pick(children) : null,
    })),
  };
}

function documentFrom(id: string, drawn: readonly Spec[], { timeouts, nodes }: Settings): JsonObject {
  const plain = documentOf(drawn);
  const adapted = (plain.nodes as readonly NodeSpec[]).map((node, i) => {
    const kind = node.kind as JsonObject;
    const { waitSecs = 1, child = null } = nodes[i] ?? {};
    if (kind.type === 'tool' && node.policy === undefined && child !== null) {
      const { tool_ref: _tool, ...rest } = kind;
      return { ...node, kind: { ...rest, type: 'subgraph', workflow_ref: child, input_mapping: MARK } };
    }
    return kind.timeout_secs === undefined ? node : { ...node, kind: { ...kind, timeout_secs: waitSecs } };
  });
  return { ...plain, workflow_id: id, nodes: adapted, timeouts };
}
