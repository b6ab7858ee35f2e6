import { TENANT_POLICY } from '../../ir/policy.ts';
import { isObject, type Json } from '../../json.ts';
import { definitionOf } from '../../nodes/index.ts';
import { namesOfModel } from '../../nodes/model-names.ts';
import type { Policy } from '../../nodes/policy.ts';
import { calledTools, judge, type PolicySubject, type PolicyVerdict, ruleText, strictest, subjectOf } from '../../policy.ts';
import type { StepEnv } from '../../run.ts';
import type { ActiveVisit } from '../context/active-visits.ts';
import type { StepContext } from '../context/step-context.ts';
import type { MachineEvent } from '../machine-event.ts';
import { heldContext, POLICY_VIOLATION } from './policy-gate.ts';
import { budgetFailure, renderAtNode } from './templates.ts';

/** A policy node begins: it ends at once, or is held until a person decides (null). */
export function beginJudgement(step: StepContext, node: string, active: ActiveVisit, env: StepEnv): MachineEvent | null {
  const { activation } = active;
  step.setActive(node, { activation, attempt: 0, phase: 'queued' });
  const kind = step.tables.nodeOf(node).kind as Policy;
  const subjects = subjectsOf(step, node, env);
  if (subjects === null) return budgetFailure(step, node);
  const scope = kind.policy_ref === TENANT_POLICY ? 'tenant' : 'workflow';
  const policy = step.tables.workflow.policies[kind.policy_ref] ?? null;
  const verdict = strictest(
    subjects.flatMap((subject) => {
      const one = scope === 'tenant' ? env.tenantPolicy?.verdict(node, subject, null) : judge(policy, subject, scope);
      return one ?? [];
    }),
  );
  if (verdict === null || verdict.decision === 'allowed')
    return doneEvent(node, { decision: 'allow', rule: null, subject: nameOf(verdict, subjects) });
  const matched = ruleText(verdict);
  if (verdict.decision === 'require_approval') {
    const held = { name: verdict.name, rule: matched };
    const data = {
      tool_name: verdict.name,
      approver: 'human',
      context: heldContext(node, { held }),
      activation,
      policy_scope: scope,
      matched,
    };
    const since = step.addEvent('tool_approval_required', node, data);
    step.setActive(node, { activation, attempt: 0, phase: 'awaiting_approval', since, atMs: env.nowMs, held });
    return null;
  }
  const warns = kind.on_violation === 'warn';
  const decision = warns ? 'warned' : 'blocked';
  step.addEvent('policy_violation', node, { rule: verdict.name, decision, policy_scope: scope, activation, matched });
  const blocked = step.tables.judged.get(node)?.blocked ?? 'fail';
  if (blocked === 'fail' && !warns)
    return {
      type: 'fail',
      node,
      error: `blocked by policy: ${verdict.name}`,
      errorClass: POLICY_VIOLATION,
      retryable: false,
      delayMs: 0,
    };
  const done = doneEvent(node, { decision: 'block', rule: matched, subject: verdict.name });
  return blocked === 'route' ? { route: 'on_blocked' as const, ...done } : done;
}

/** The completion of a policy node that a person has approved. */
export function approvedJudgement(
  node: string,
  { held }: ActiveVisit,
  { userId, comment }: { readonly userId: string; readonly comment: string | null },
): MachineEvent {
  const { name = null, rule = null } = held ?? {};
  return doneEvent(node, { decision: 'require_approval', rule, subject: name, approved: true, user_id: userId, comment });
}

function doneEvent(node: string, output: Json): MachineEvent & { readonly type: 'done' } {
  return { type: 'done', node, output, durationMs: 0 };
}

function nameOf(verdict: PolicyVerdict | null, subjects: readonly PolicySubject[]): string | null {
  return verdict?.name ?? subjects[0]?.names[0] ?? subjects[0]?.models[0] ?? null;
}

/** What is judged: the names that the node gives, or those of the nodes that it leads to. Null = the evaluation budget does not suffice. */
function subjectsOf(step: StepContext, node: string, env: StepEnv): readonly PolicySubject[] | null {
  const template = step.tables.template(step.indexOf(node));
  if (template === null) {
    const { state } = step.now;
    return (step.tables.judged.get(node)?.nodes ?? []).map((subject) => {
      const key = definitionOf(subject.kind).toolCalls(subject.kind);
      return subjectOf(subject, key === null ? [] : calledTools(state, key));
    });
  }
  const value = renderAtNode(step, node, template, env.executionId, 'subject');
  if (value === undefined) return null;
  const { subject = [], model = null } = isObject(value) ? value : {};
  const names = (Array.isArray(subject) ? (subject as readonly Json[]) : [subject]).flatMap(textsIn);
  const models = typeof model === 'string' && model !== '' ? [{ names: [], models: namesOfModel(model) }] : [];
  return [...names.map((name) => ({ names: [name], models: [] })), ...models];
}

/** A template may give a list of names. */
function textsIn(value: Json): readonly string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? (value as readonly Json[]).filter((one) => typeof one === 'string') : [];
}
