import type { Node, PolicySet, Workflow } from './ir/workflow.ts';
import { isObject, type JsonObject } from './json.ts';
import { definitionOf } from './nodes/index.ts';

export type PolicyScope = 'node' | 'workflow' | 'tenant';

/** What a policy is asked about: the names of a tool, most exact first, and those of a model. */
export interface PolicySubject {
  readonly names: readonly string[];
  readonly models: readonly string[];
  /** Further models, each by its names. Default: none. */
  readonly furtherModels?: readonly (readonly string[])[];
}

/** The decision of a policy. `allowed`: its `model_allowlist` has the model, so that no wider policy is asked. */
export interface PolicyVerdict {
  readonly decision: 'allowed' | 'blocked' | 'require_approval';
  /** The name that was judged. */
  readonly name: string;
  readonly scope: PolicyScope;
  readonly rule: keyof PolicySet;
  /** The glob of the rule that matches; null = none of a `model_allowlist` does. */
  readonly glob: string | null;
}

/** The names of a node, after those of the tools that it is about to call. */
export function subjectOf({ kind }: Node, calls: readonly string[] = []): PolicySubject {
  const definition = definitionOf(kind);
  return {
    names: [...calls, ...definition.policyNames(kind)],
    models: definition.models(kind),
    furtherModels: definition.furtherModels(kind),
  };
}

/**
 * The decision of a workflow's policies about a node; null = they have none, so that the tenant's decides. The node's policy comes before the
 * workflow's. `calls`: the tools that the node is about to call for a model.
 */
export function policyVerdict(workflow: Workflow, node: Node, calls: readonly string[] = []): PolicyVerdict | null {
  if (node.policy === null && workflow.policy === null) return null;
  const subject = subjectOf(node, calls);
  return judge(node.policy, subject, 'node') ?? judge(workflow.policy, subject, 'workflow');
}

/**
 * The decision of the tenant's policy. A narrower verdict takes precedence, but not over the tenant's `model_allowlist`: a workflow
 * cannot allow itself models.
 */
export function tenantVerdict(policy: PolicySet, subject: PolicySubject, narrower: PolicyVerdict | null): PolicyVerdict | null {
  const verdict = judge(policy, subject, 'tenant');
  const isRefusedModel = verdict?.decision === 'blocked' && verdict.rule === 'model_allowlist';
  return narrower === null || isRefusedModel ? verdict : null;
}

/**
 * Within one policy, a `model_allowlist` alone decides about a model; `blocked_tools` comes before `require_approval_for`. Null = the policy
 * says nothing about the subject.
 */
export function judge(policy: PolicySet | null, subject: PolicySubject, scope: PolicyScope): PolicyVerdict | null {
  if (policy === null) return null;
  const { names, models, furtherModels = [] } = subject;
  const [model] = models;
  if (model !== undefined && policy.model_allowlist.length > 0) {
    const globOf = (known: readonly string[]): string | null =>
      policy.model_allowlist.find((one) => known.some((name) => matchesGlob(one, name))) ?? null;
    const refused = [models, ...furtherModels].find((known) => globOf(known) === null);
    const glob = refused === undefined ? globOf(models) : null;
    const decision = refused === undefined ? 'allowed' : 'blocked';
    return { decision, name: refused?.[0] ?? model, scope, rule: 'model_allowlist', glob };
  }
  for (const [rule, decision] of TOOL_RULES) {
    for (const name of names) {
      const glob = policy[rule].find((one) => matchesGlob(one, name));
      if (glob !== undefined) return { decision, name, scope, rule, glob };
    }
  }
  return null;
}

const TOOL_RULES = [
  ['blocked_tools', 'blocked'],
  ['require_approval_for', 'require_approval'],
] as const;

/** The rule that decided, as logs and outputs have it: `blocked_tools: shell.*`, `model_allowlist`. */
export function ruleText({ rule, glob }: PolicyVerdict): string {
  return glob === null ? rule : `${rule}: ${glob}`;
}

/** The strictest of some verdicts: a block, an approval, the first other. */
export function strictest(verdicts: readonly PolicyVerdict[]): PolicyVerdict | null {
  const of = (decision: PolicyVerdict['decision']): PolicyVerdict | undefined =>
    verdicts.find((verdict) => verdict.decision === decision);
  return of('blocked') ?? of('require_approval') ?? verdicts[0] ?? null;
}

/** The names of the tools in a list of tool calls of a model, as the state holds it. */
export function calledTools(state: JsonObject, key: string): readonly string[] {
  const calls = Object.hasOwn(state, key) ? state[key] : null;
  if (!Array.isArray(calls)) return [];
  return calls.flatMap((call) => (isObject(call) && typeof call.name === 'string' ? [call.name] : []));
}

/** Does the allowlist have a model, by one of its names? */
export function isAllowedModel(allowlist: readonly string[], names: readonly string[]): boolean {
  return names.some((name) => allowlist.some((glob) => matchesGlob(glob, name)));
}

/** Does a glob match the whole name? `*` is any text, `?` one character. Backtracks to the last `*` only, so that it takes no exponential time. */
export function matchesGlob(glob: string, name: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let retryAt = 0;
  while (t < name.length) {
    const wanted = glob.codePointAt(p);
    const found = name.codePointAt(t);
    if (wanted === STAR) {
      star = p++;
      retryAt = t;
    } else if (wanted === QUESTION_MARK || wanted === found) {
      p += unitsOf(wanted);
      t += unitsOf(found);
    } else if (star !== -1) {
      p = star + 1;
      retryAt += unitsOf(name.codePointAt(retryAt));
      t = retryAt;
    } else {
      return false;
    }
  }
  while (glob.codePointAt(p) === STAR) p++;
  return p === glob.length;
}

const STAR = 42;
const QUESTION_MARK = 63;

/** UTF-16 units of a character. */
function unitsOf(codePoint: number | undefined): number {
  return codePoint !== undefined && codePoint > 0xffff ? 2 : 1;
}
