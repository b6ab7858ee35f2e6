import type { DataPolicy } from '../ir/data-policy.ts';
import type { Node, Workflow } from '../ir/workflow.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { recalled, resultOf } from './cold-results.ts';
import { KnownValues, NO_VALUES, valuesAt } from './known-values.ts';
import { parsePath } from './paths.ts';
import { type RedactionRules, Redactor } from './redactor.ts';
import type { RedactionMode } from './replacement.ts';

const MAX_RECENT = 16;

/**
 * The data policies of a workflow, its nodes' included. What is shown and stored follows all of them together: a value that one node protects
 * reaches the state, and from there other nodes. A prompt follows the policies of the workflow and of its own node.
 */
export class DataRules {
  readonly #workflow: DataPolicy | null;
  readonly #nodes: ReadonlyMap<string, DataPolicy>;
  readonly #stored: RedactionRules;
  /** By node, filled by the first prompts. */
  readonly #prompts = new Map<string, RedactionRules>();
  readonly #byMode = new Map<RedactionMode, RedactionRules>();
  /** Those used last come first. */
  #recent: readonly Redactor[] = [];

  constructor(workflow: DataPolicy | null, nodes: ReadonlyMap<string, DataPolicy>) {
    this.#workflow = workflow;
    this.#nodes = nodes;
    const all = [...(workflow === null ? [] : [workflow]), ...nodes.values()];
    this.#stored = rulesOf(all);
  }

  /** For what is shown and stored of an execution. `roots`: its state and its input. `node`: chooses how values are replaced. */
  stored(roots: readonly Json[], node: string | null = null): Redactor {
    const mode = this.#nodes.get(node ?? '')?.redaction_mode ?? this.#stored.mode;
    let rules = this.#byMode.get(mode);
    if (rules === undefined) {
      rules = { ...this.#stored, mode };
      this.#byMode.set(mode, rules);
    }
    return this.#redactor(rules, roots);
  }

  /** For what a node sends to a model. */
  prompt(node: string, roots: readonly Json[]): Redactor {
    let rules = this.#prompts.get(node);
    if (rules === undefined) {
      rules = rulesOf([this.#nodes.get(node) ?? [], this.#workflow ?? []].flat());
      this.#prompts.set(node, rules);
    }
    return this.#redactor(rules, roots);
  }

  /** The one of before for the same rules and values: it knows long texts that it has redacted. */
  #redactor(rules: RedactionRules, roots: readonly Json[]): Redactor {
    const given = roots.map((root) => resultOf(rules, root, valuesAt(rules.paths, root), NO_VALUES, true));
    const own = recalled<Redactor>(rules);
    const recent = [...own, ...this.#recent.filter((one) => one.rules === rules)];
    const known = KnownValues.from(
      given,
      recent.map((one) => one.known),
    );
    const redactor = recent.find((one) => one.known === known) ?? new Redactor(rules, known);
    if (!own.includes(redactor)) own.push(redactor);
    this.#recent = [redactor, ...this.#recent.filter((one) => one !== redactor)].slice(0, MAX_RECENT);
    return redactor;
  }

  retainsPrompt(node: string): boolean {
    return (this.#nodes.get(node) ?? this.#workflow)?.retain_prompts ?? true;
  }

  retainsOutput(node: string): boolean {
    return (this.#nodes.get(node) ?? this.#workflow)?.retain_outputs ?? true;
  }

  /** Whether what any node returns is kept. If not, neither are states, nor the inputs of nodes, which are made of it. */
  get retainsOutputs(): boolean {
    return [this.#workflow, ...this.#nodes.values()].every((policy) => policy === null || policy.retain_outputs);
  }

  /** A state as it is shown. Where outputs are not retained, it is what the execution began with: the rest is from nodes. */
  shownState(redactor: Redactor, state: JsonObject, input: Json): JsonObject {
    const shown = this.retainsOutputs ? state : isObject(input) ? input : {};
    return redactor.root(shown) as JsonObject;
  }

  /** The shortest of all policies; null = as long as the tenant says. */
  get retentionDays(): number | null {
    const days = [this.#workflow, ...this.#nodes.values()].flatMap((policy) => policy?.retention_days ?? []);
    return days.length === 0 ? null : Math.min(...days);
  }
}

/** Null = there is no data policy. */
export function dataRulesOf({ data_policy: policy, nodes }: Pick<Workflow, 'data_policy' | 'nodes'>): DataRules | null {
  const own = new Map(nodes.flatMap(({ id, data_policy }: Node) => (data_policy === null ? [] : [[id, data_policy] as const])));
  return policy === null && own.size === 0 ? null : new DataRules(policy, own);
}

/** The first policy decides the mode. */
function rulesOf(policies: readonly DataPolicy[]): RedactionRules {
  const texts = [...new Set(policies.flatMap((policy) => policy.pii_fields))];
  return {
    paths: texts.map((text) => parsePath(text).path ?? []).filter((path) => path.length > 0),
    detectors: [...new Set(policies.flatMap((policy) => policy.pii_detectors))],
    mode: policies[0]?.redaction_mode ?? 'mask',
  };
}
