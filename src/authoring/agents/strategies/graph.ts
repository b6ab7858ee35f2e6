import type { Json } from '../../../../machines/json.ts';

/** Where a strategy ends that has used up its limits. */
const LIMIT_EXCEEDED = '__limit_exceeded__';
const FINALIZE = '__finalize__';
const COST_EXCEEDED = 'state.__cost_exceeded__';

/** What a node does for its strategy, as its labels say. */
interface Role {
  readonly node: string;
  /** What the node begins or ends. */
  readonly event?: 'plan_generated' | 'iteration_started' | 'critic_verdict' | 'strategy_completed' | 'tool_called';
  readonly iteration?: number;
}

interface Ask {
  /** Shown to people. */
  readonly description: string;
  readonly prompt: string;
  readonly system?: string;
  /** State key of the answer. */
  readonly answer: string;
  readonly model?: string;
  readonly role: Role;
}

export interface StrategyGraph {
  readonly start: string;
  readonly nodes: Readonly<Record<string, Json>>;
  readonly edges: readonly Json[];
}

/** Builds the graph of a strategy: model nodes, conditions, and one node for an exceeded limit. */
export class GraphBuilder {
  readonly #model: string;
  readonly #nodes: Record<string, Json> = {};
  readonly #edges: Json[] = [];

  constructor(model: string) {
    this.#model = model;
  }

  /** Asks the model, and continues at `next`. */
  ask(id: string, { description, prompt, system, answer, model, role }: Ask, next: string): void {
    const kind = {
      type: 'model',
      model_ref: model ?? this.#model,
      prompt_ref: prompt,
      output_schema: answer,
      system_prompt: system ?? null,
    };
    this.#add(id, kind, { description, retry_policy: 'llm_default', role });
    this.#edge(id, next);
  }

  /** Ends the strategy when its cost has reached the limit, else continues at `next`. */
  costGuard(id: string, iteration: number, next: string): void {
    this.#choose(id, COST_EXCEEDED, LIMIT_EXCEEDED, next, {
      description: 'Ends the strategy when its cost has reached the limit',
      role: { node: 'cost_guard', iteration },
    });
  }

  /** Finalizes when the condition holds, else continues at `next`. */
  gate(id: string, condition: string, next: string, role: Role): void {
    this.#choose(id, condition, FINALIZE, next, { description: `Finalizes when ${condition}`, role });
  }

  /** The last node: its answer is the result of the strategy. */
  finish(start: string, description: string, prompt: string): StrategyGraph {
    const role: Role = { node: 'finalizer', event: 'strategy_completed' };
    this.ask(FINALIZE, { description, prompt, answer: 'result', role }, 'end');
    this.#nodes[LIMIT_EXCEEDED] = {
      id: LIMIT_EXCEEDED,
      kind: { type: 'limit_exceeded' },
      retry_policy: null,
      node_timeout_secs: null,
      description: 'A limit of the strategy was reached',
      labels: { 'jamjet.strategy.limit': 'true' },
    };
    this.#edge(LIMIT_EXCEEDED, 'end');
    return { start, nodes: this.#nodes, edges: this.#edges };
  }

  #choose(
    id: string,
    condition: string,
    target: string,
    otherwise: string,
    named: { readonly description: string; readonly role: Role },
  ): void {
    const branches = [
      { condition, target },
      { condition: null, target: otherwise },
    ];
    this.#add(id, { type: 'condition', branches }, { ...named, retry_policy: null });
    this.#edge(id, target, condition);
    this.#edge(id, otherwise);
  }

  #add(
    id: string,
    kind: Json,
    named: { readonly description: string; readonly retry_policy: string | null; readonly role: Role },
  ): void {
    const { description, retry_policy, role } = named;
    const labels: Record<string, string> = { 'jamjet.strategy.node': role.node };
    if (role.event !== undefined) labels['jamjet.strategy.event'] = role.event;
    if (role.iteration !== undefined) labels['jamjet.strategy.iteration'] = String(role.iteration);
    this.#nodes[id] = { id, kind, retry_policy, node_timeout_secs: null, description, labels };
  }

  #edge(from: string, to: string, condition: string | null = null): void {
    this.#edges.push({ from, to, condition });
  }
}

/** The template of a state key. */
export function stateText(key: string): string {
  return `{{ state.${key} }}`;
}

/** The template of the last of these state keys that has a value. */
export function lastOf(keys: readonly string[]): string {
  return `{{ ${keys
    .toReversed()
    .map((key) => `state.${key}`)
    .join(' or ')} }}`;
}

/** The numbers 0, 1, 2 … below `count`. */
export function countTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i);
}
