import type { Json, JsonObject } from '../../machines/json.ts';
import type { Random } from './random.ts';
import {
  approval,
  condition,
  document,
  type EdgeSpec,
  evaluation,
  first,
  join,
  type NodeSpec,
  parallel,
  retried,
  tool,
  wait,
} from './workflows.ts';

/** The first node of a block, and the nodes whose edges or outcomes lead out of it. */
interface Block {
  readonly entry: string;
  readonly exits: readonly { readonly node: string; readonly outcome?: 'fallback_node' | 'on_rejected' | 'on_timeout' }[];
}

const CONDITIONS = ['state.x == 1', 'output.n > 1', 'state.ok', 'output.ok', "decision == 'approved'"] as const;
const MAX_DEPTH = 4;

/**
 * Generates a random document of nested blocks (sequences, choices, fan-outs with joins, loops), with some edges, fallbacks and joins across
 * blocks. Many of them are invalid workflows.
 */
export function randomBlocks(random: Random, size: number): JsonObject {
  return new Blocks(random, size).document();
}

class Blocks {
  readonly #random: Random;
  readonly #size: number;
  readonly #nodes: NodeSpec[] = [];
  readonly #edges: EdgeSpec[] = [];

  constructor(random: Random, size: number) {
    this.#random = random;
    this.#size = size;
  }

  document(): JsonObject {
    const { entry } = this.#sequence(0, this.#random.between(1, 3));
    for (let extra = this.#random.pick([0, 0, 1, 2, 4]); extra > 0; extra -= 1) this.#across();
    const start = this.#nodes.findIndex(({ id }) => id === entry);
    const [node] = this.#nodes.splice(start, 1);
    return document(node === undefined ? this.#nodes : [node, ...this.#nodes], this.#edges);
  }

  #add(make: (id: string) => NodeSpec): string {
    const id = `n${this.#nodes.length}`;
    this.#nodes.push(make(id));
    return id;
  }

  #condition(): string {
    return this.#random.pick(CONDITIONS);
  }

  #edge(from: string, to: string, text?: string): void {
    this.#edges.push(text === undefined ? [from, to] : [from, to, text]);
  }

  #set(id: string, key: string, value: Json): void {
    const at = this.#nodes.findIndex((node) => node.id === id);
    const node = this.#nodes[at];
    if (node !== undefined) this.#nodes[at] = { ...node, kind: { ...(node.kind as JsonObject), [key]: value } };
  }

  #connect(exits: Block['exits'], to: string): void {
    for (const { node, outcome } of exits) {
      if (outcome === undefined) this.#edge(node, to);
      else this.#set(node, outcome, to);
    }
  }

  #block(depth: number): Block {
    const roll = this.#nodes.length >= this.#size || depth > MAX_DEPTH ? 0 : this.#random.between(0, 9);
    if (roll < 4) return this.#leaf();
    if (roll < 5) return this.#choice(depth);
    return roll < 8 ? this.#fanOut(depth) : this.#loop(depth);
  }

  #leaf(): Block {
    const random = this.#random;
    const retry = random.pick(['once', 'once', 'twice', 'at_once']);
    const roll = random.between(0, 18);
    const node = this.#add((id) => {
      if (roll > 16) return evaluation(id, { on_fail: 'retry_with_feedback', max_retries: random.between(1, 3) });
      if (roll > 14) return evaluation(id, { on_fail: random.pick(['halt', 'escalate', 'log_and_continue']) });
      if (roll < 2) return approval(id, random.chance(0.3) ? { timeout_secs: 60 } : {});
      if (roll < 4) return wait(id, { correlation_key: `key${random.between(0, 1)}` });
      if (roll < 5) return wait(id, { condition: 'timer', timeout_secs: 60 });
      if (roll < 6) return { ...retried(id, retry), policy: { require_approval_for: ['*'] } };
      return roll < 7 ? { ...retried(id, retry), policy: { blocked_tools: ['t.*'] } } : retried(id, retry);
    });
    const fails = roll >= 5 && random.chance(0.25);
    const isRejected = (roll < 2 || roll > 14) && !fails && random.chance(0.3);
    const exit = { node };
    if (fails) return { entry: node, exits: [exit, { node, outcome: 'fallback_node' }] };
    return { entry: node, exits: isRejected ? [exit, { node, outcome: 'on_rejected' }] : [exit] };
  }

  #sequence(depth: number, length: number): Block {
    const first = this.#block(depth);
    let { exits } = first;
    for (let i = 1; i < length; i += 1) {
      const next = this.#block(depth);
      this.#connect(exits, next.entry);
      exits = next.exits;
    }
    return { entry: first.entry, exits };
  }

  #parts(depth: number): Block[] {
    return Array.from({ length: this.#random.between(2, 3) }, () => this.#sequence(depth + 1, this.#random.between(1, 2)));
  }

  #choice(depth: number): Block {
    const parts = this.#parts(depth);
    const branches = parts.map(({ entry: target }, i) => [i === parts.length - 1 ? null : this.#condition(), target] as const);
    return { entry: this.#add((id) => condition(id, ...branches)), exits: parts.flatMap(({ exits }) => exits) };
  }

  #fanOut(depth: number): Block {
    const random = this.#random;
    const parts = this.#parts(depth);
    const entries = parts.map(({ entry }) => entry);
    const exits = parts.flatMap((part) => part.exits);
    const byEdges = random.chance(0.4);
    const entry = this.#add((id) => (byEdges ? tool(id) : parallel(id, entries)));
    if (byEdges) for (const to of entries) this.#edge(entry, to);
    if (random.chance(0.2)) return { entry, exits };
    const sources = [...new Set(exits.map(({ node }) => node))].filter(() => random.chance(0.4));
    const meet = this.#add((id) => {
      if (random.chance(0.5)) return first(id, { wait_for: sources });
      const custom = random.chance(0.3) ? { merge_strategy: { custom: { function_ref: 'm:f' } } } : {};
      return { ...join(id, { wait_for: sources, ...custom }), retry_policy: 'once' };
    });
    this.#connect(exits, meet);
    return { entry, exits: [{ node: meet }] };
  }

  #loop(depth: number): Block {
    const { entry, exits } = this.#sequence(depth + 1, this.#random.between(1, 2));
    const tail = this.#add((id) => tool(id));
    this.#connect(exits, tail);
    if (this.#random.chance(0.7)) this.#edge(tail, entry, this.#condition());
    else this.#set(tail, 'fallback_node', entry);
    return { entry, exits: [{ node: tail }] };
  }

  #across(): void {
    const random = this.#random;
    const [from, to] = [random.pick(this.#nodes).id, random.pick(this.#nodes).id];
    const roll = random.between(0, 3);
    if (roll === 0) this.#edge(from, to, random.chance(0.5) ? this.#condition() : undefined);
    else if (roll === 1) this.#edge(from, 'end', random.chance(0.5) ? this.#condition() : undefined);
    else {
      const meet = this.#add((id) => (roll === 2 ? first : join)(id, { wait_for: [to] }));
      this.#edge(from, meet, random.chance(0.5) ? this.#condition() : undefined);
      if (random.chance(0.4)) this.#edge(meet, random.pick(this.#nodes).id);
    }
  }
}
