import { normalise } from '../../machines/ir/normalise.ts';
import { policySetOf } from '../../machines/ir/policy.ts';
import type { PolicySet } from '../../machines/ir/workflow.ts';
import type { JsonObject } from '../../machines/json.ts';
import { definitionOf, type KindName } from '../../machines/nodes/index.ts';
import { type PolicyScope, policyVerdict, subjectOf, tenantVerdict } from '../../machines/policy.ts';

/** What policies do to a node, as far as that is known before it runs. */
export interface NodePolicy {
  readonly node_id: string;
  readonly kind: KindName;
  /** What globs are compared with; empty = policies do not concern the node. */
  readonly names: readonly string[];
  readonly decision: 'allow' | 'block' | 'require_approval';
  /** The name that was judged, the rule that decided and whose policy it is; null = no rule says anything. */
  readonly name: string | null;
  readonly scope: PolicyScope | null;
  readonly rule: keyof PolicySet | null;
  /** Null = none of a `model_allowlist` matches. */
  readonly glob: string | null;
  /** The node also carries out tool calls of a model, whose names are judged when it begins. */
  readonly calls_tools: boolean;
}

const DECISIONS = { allowed: 'allow', blocked: 'block', require_approval: 'require_approval' } as const;

/** The nodes of a valid document, in its order. `tenant`: the policy of the tenant in which it runs; null = it has none. */
export function policyReport(document: JsonObject, tenant: PolicySet | null): readonly NodePolicy[] {
  const { workflow } = normalise(document);
  return workflow.nodes.map((node) => {
    const subject = subjectOf(node);
    const own = policyVerdict(workflow, node);
    const verdict = (own?.decision === 'blocked' || tenant === null ? null : tenantVerdict(tenant, subject, own)) ?? own;
    const { name = null, scope = null, rule = null, glob = null } = verdict ?? {};
    return {
      node_id: node.id,
      kind: node.kind.type,
      names: [...new Set([...subject.names, ...subject.models, ...(subject.furtherModels ?? []).flat()])],
      decision: verdict === null ? 'allow' : DECISIONS[verdict.decision],
      name,
      scope,
      rule,
      glob,
      calls_tools: definitionOf(node.kind).toolCalls(node.kind) !== null,
    };
  });
}

/** The policy in a file, and a rule that is wrong. */
export const readTenantPolicy: (given: JsonObject) => ReturnType<typeof policySetOf> = policySetOf;
