import type { Node, Workflow } from './ir/workflow.ts';
import { definitionOf } from './nodes/index.ts';

/** The decision of a workflow's policies about a node. `name` is the policy name that matched. */
export interface PolicyVerdict {
  readonly decision: 'blocked' | 'require_approval';
  readonly name: string;
  readonly scope: 'node' | 'workflow';
}

/**
 * Null = the node may run. The node's policy comes before the workflow's. Within one, a `model_allowlist` decides about nodes with a model;
 * `blocked_tools` comes before `require_approval_for`.
 */
export function policyVerdict(workflow: Workflow, node: Node): PolicyVerdict | null {
  const definition = definitionOf(node.kind);
  const names = definition.policyNames(node.kind);
  const models = definition.models(node.kind);
  for (const scope of ['node', 'workflow'] as const) {
    const policy = (scope === 'node' ? node : workflow).policy;
    if (policy === null) continue;
    if (models[0] !== undefined && policy.model_allowlist.length > 0)
      return isAllowedModel(policy.model_allowlist, models) ? null : { decision: 'blocked', name: models[0], scope };
    const rules = [
      ['blocked', policy.blocked_tools],
      ['require_approval', policy.require_approval_for],
    ] as const;
    for (const [decision, globs] of rules) {
      const name = names.find((candidate) => globs.some((glob) => matchesGlob(glob, candidate)));
      if (name !== undefined) return { decision, name, scope };
    }
  }
  return null;
}

/** Does the allowlist have a model, by one of its names? */
export function isAllowedModel(allowlist: readonly string[], names: readonly string[]): boolean {
  return names.some((name) => allowlist.some((glob) => matchesGlob(glob, name)));
}

/** Does a glob match the whole name? `*` is any text, `?` one character. Backtracks to the last `*` only, so that it takes no exponential time. */
export function matchesGlob(glob: string, name: string): boolean {
  const pattern = [...glob];
  const text = [...name];
  let p = 0;
  let t = 0;
  let star = -1;
  let retryAt = 0;
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p++;
      retryAt = t;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star !== -1) {
      p = star + 1;
      t = ++retryAt;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
