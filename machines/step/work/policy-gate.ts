import type { JsonObject } from '../../json.ts';
import { calledTools, type PolicyVerdict, policyVerdict, ruleText, subjectOf } from '../../policy.ts';
import type { LateNames } from '../../program/late-names.ts';
import type { StepEnv } from '../../run.ts';
import { type ActiveVisit, type HeldFor, visitIn } from '../context/active-visits.ts';
import type { StepContext } from '../context/step-context.ts';
import type { FailEvent } from '../machine-event.ts';
import { carriedCall, shownCalls } from './held-calls.ts';
import { itemNames, renderAtNode } from './templates.ts';

/** The error class of a node that a policy blocks. */
export const POLICY_VIOLATION = 'policy_violation';

/** A decision against a node that is about to begin. */
type Ruling = PolicyVerdict & {
  readonly decision: 'blocked' | 'require_approval';
  readonly calls?: readonly JsonObject[];
  readonly isLate?: true;
};

/**
 * What policies say about an attempt that is about to begin; null = it may. Those of the workflow judge a visit once, when it begins. The tenant's
 * judges each attempt, because it may have changed; what a person has approved stays approved.
 */
export function rulingOn(
  step: StepContext,
  node: string,
  active: ActiveVisit,
  isFirst: boolean,
  env: StepEnv,
  item?: number,
): Ruling | null {
  const { tables } = step;
  const tenant = env.tenantPolicy ?? null;
  const compiled = tables.verdicts.get(node) ?? null;
  const definition = tables.nodeOf(node);
  const late = tables.lateNames.get(node) ?? null;
  if (compiled === null && tenant === null && (late === null || (definition.policy ?? tables.workflow.policy) === null))
    return null;
  const isJudgedNow = late !== null;
  const names = isJudgedNow ? namesNow(step, node, late, env, item) : [];
  const own = isJudgedNow ? policyVerdict(tables.workflow, definition, names) : compiled;
  const verdict = isFirst && isRuling(own) ? own : (tenant?.verdict(node, subjectOf(definition, names), own, item) ?? null);
  if (!isRuling(verdict) || (verdict.decision === 'require_approval' && active.approved === true)) return null;
  const key = isJudgedNow ? late.calls : null;
  if (key !== null && names.length > 0) return { isLate: true, ...verdict, calls: shownCalls(step.now.state[key]) };
  return isJudgedNow ? { isLate: true, ...verdict } : verdict;
}

/** The names that are known only now. When the evaluation budget does not suffice, the node has exceeded it. */
function namesNow(
  step: StepContext,
  node: string,
  { calls, templates }: LateNames,
  env: StepEnv,
  item: number | undefined,
): readonly string[] {
  const names = calls === null ? [] : [...calledTools(step.now.state, calls)];
  for (const template of templates) {
    const own = item === undefined ? {} : { names: itemNames(step.tables, step.now, node, item) };
    const value = renderAtNode(step, node, template, env.executionId, 'policy name', own);
    if (typeof value === 'string') names.push(value);
  }
  return names;
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
  item?: number,
): FailEvent | null {
  const { decision, name, scope, isLate } = ruling;
  const { activation } = active;
  const of = item === undefined ? {} : { item };
  if (decision === 'blocked') {
    step.setActive(node, visitIn('queued', active), item);
    const matched = scope === 'tenant' ? { matched: ruleText(ruling) } : {};
    step.addEvent('policy_violation', node, { rule: name, decision, policy_scope: scope, activation, ...matched, ...of });
    return {
      type: 'fail',
      node,
      error: `blocked by policy: ${name}`,
      retryable: false,
      delayMs: 0,
      errorClass: POLICY_VIOLATION,
    };
  }
  const calls = ruling.calls ?? carriedCall(step, node);
  const held: HeldFor = { name, ...(calls === undefined ? {} : { calls }) };
  const since = step.addEvent('tool_approval_required', node, {
    tool_name: name,
    approver: 'human',
    context: heldContext(node, { held }),
    activation,
    ...(scope === 'tenant' ? { policy_scope: scope, matched: ruleText(ruling) } : {}),
    ...of,
  });
  const isCompiled = isLate !== true && scope !== 'tenant' && calls === undefined;
  const parked = Object.assign(visitIn('awaiting_approval', active), { since, atMs: nowMs });
  step.setActive(node, isCompiled ? parked : Object.assign(parked, { held }), item);
  return null;
}

/** What a person is told about a node that a policy holds. */
export function heldContext(node: string, { held }: Pick<ActiveVisit, 'held'>): JsonObject {
  const { limit, calls } = held ?? {};
  return { node_id: node, ...(limit === undefined ? {} : { limit }), ...(calls === undefined ? {} : { calls }) };
}
