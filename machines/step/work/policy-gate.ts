import { isObject, type JsonObject } from '../../json.ts';
import { charsUpTo } from '../../json-size.ts';
import { definitionOf } from '../../nodes/index.ts';
import { calledTools, type PolicyVerdict, policyVerdict, ruleText, subjectOf } from '../../policy.ts';
import { POLICY_RULES } from '../../program/rules.ts';
import type { StepEnv } from '../../run.ts';
import { type ActiveVisit, type HeldFor, visitOf } from '../context/active-visits.ts';
import { rulesOf } from '../context/context.ts';
import type { StepContext } from '../context/step-context.ts';
import type { FailEvent } from '../machine-event.ts';

/** Larger tool calls are shown without their arguments. */
const MAX_CALLS_CHARS = 8_192;

/** The error class of a node that a policy blocks. */
export const POLICY_VIOLATION = 'policy_violation';

/** A decision against a node that is about to begin. */
type Ruling = PolicyVerdict & { readonly decision: 'blocked' | 'require_approval'; readonly calls?: readonly JsonObject[] };

/**
 * What policies say about an attempt that is about to begin; null = it may. Those of the workflow judge a visit once, when it begins. The tenant's
 * judges each attempt, because it may have changed; what a person has approved stays approved.
 */
export function rulingOn(step: StepContext, node: string, active: ActiveVisit, isFirst: boolean, env: StepEnv): Ruling | null {
  const { tables } = step;
  const tenant = env.tenantPolicy ?? null;
  const compiled = tables.verdicts.get(node) ?? null;
  const definition = tables.nodeOf(node);
  const key = definitionOf(definition.kind).toolCalls(definition.kind);
  if (key === null && compiled === null && tenant === null) return null;
  const isJudgedNow = key !== null && rulesOf(step.now) >= POLICY_RULES;
  const tools = isJudgedNow ? calledTools(step.now.state, key) : [];
  const own = isJudgedNow ? policyVerdict(tables.workflow, definition, tools) : compiled;
  const verdict = isFirst && isRuling(own) ? own : (tenant?.verdict(node, subjectOf(definition, tools), own) ?? null);
  if (!isRuling(verdict) || (verdict.decision === 'require_approval' && active.approved === true)) return null;
  return tools.length === 0 ? verdict : { ...verdict, calls: shownCalls(step.now.state[key ?? '']) };
}

function isRuling(verdict: PolicyVerdict | null): verdict is Ruling {
  return verdict !== null && verdict.decision !== 'allowed';
}

/** Fails the node, or holds it until a person decides. */
export function applyRuling(
  step: StepContext,
  node: string,
  active: ActiveVisit,
  ruling: Ruling,
  nowMs: number,
): FailEvent | null {
  const { decision, name, scope, calls } = ruling;
  const { activation } = active;
  if (decision === 'blocked') {
    step.setActive(node, { ...visitOf(active), phase: 'queued' });
    const matched = scope === 'tenant' ? { matched: ruleText(ruling) } : {};
    step.addEvent('policy_violation', node, { rule: name, decision, policy_scope: scope, activation, ...matched });
    const errorClass = scope === 'tenant' || rulesOf(step.now) >= POLICY_RULES ? { errorClass: POLICY_VIOLATION } : {};
    return { type: 'fail', node, error: `blocked by policy: ${name}`, retryable: false, delayMs: 0, ...errorClass };
  }
  const held: HeldFor = { name, ...(calls === undefined ? {} : { calls }) };
  const since = step.addEvent('tool_approval_required', node, {
    tool_name: name,
    approver: 'human',
    context: heldContext(node, { held }),
    activation,
    ...(scope === 'tenant' ? { policy_scope: scope, matched: ruleText(ruling) } : {}),
  });
  const isCompiled = calls === undefined && scope !== 'tenant';
  step.setActive(node, {
    ...visitOf(active),
    phase: 'awaiting_approval',
    since,
    atMs: nowMs,
    ...(isCompiled ? {} : { held }),
  });
  return null;
}

/** What a person is told about a node that a policy holds. */
export function heldContext(node: string, { held }: Pick<ActiveVisit, 'held'>): JsonObject {
  const { limit, calls } = held ?? {};
  return { node_id: node, ...(limit === undefined ? {} : { limit }), ...(calls === undefined ? {} : { calls }) };
}

function shownCalls(calls: unknown): readonly JsonObject[] {
  const listed = Array.isArray(calls) ? (calls as readonly unknown[]).filter((call) => isObject(call as JsonObject)) : [];
  const shown = (listed as readonly JsonObject[]).map(({ name = null, arguments: given = null }) => ({ name, arguments: given }));
  if (charsUpTo(shown, MAX_CALLS_CHARS) <= MAX_CALLS_CHARS) return shown;
  return shown.map(({ name }) => ({ name }));
}
