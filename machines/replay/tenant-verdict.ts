import type { EventType } from '../events/index.ts';
import type { PolicySet } from '../ir/workflow.ts';
import type { PolicyVerdict } from '../policy.ts';
import type { TimedEvent } from './log.ts';
import { nextEvent } from './message-in-log.ts';

/** The events with which an attempt begins, or with which a policy prevents that. */
const BEGINNINGS: ReadonlySet<EventType> = new Set([
  'policy_violation',
  'tool_approval_required',
  'node_scheduled',
  'node_started',
]);

/** Those of a node that asks the policy itself. */
const JUDGEMENTS: ReadonlySet<EventType> = new Set(['policy_violation', 'tool_approval_required', 'node_completed']);

/** What the tenant's policy said about a node that begins in the step at `at`, as the log has it; null = nothing against it. */
export function tenantVerdictIn(
  log: readonly TimedEvent[],
  at: number,
  node: string,
  judges: boolean,
  item?: number,
): PolicyVerdict | null {
  const wanted = judges ? JUDGEMENTS : BEGINNINGS;
  const event = nextEvent(log, at, ({ type, node_id, data }) => node_id === node && data.item === item && wanted.has(type));
  if (event?.data.policy_scope !== 'tenant') return null;
  const { type, data } = event;
  const [rule, glob = null] = String(data.matched).split(/: (.*)/s) as [keyof PolicySet, string?];
  return type === 'policy_violation'
    ? { decision: 'blocked', name: String(data.rule), scope: 'tenant', rule, glob }
    : { decision: 'require_approval', name: String(data.tool_name), scope: 'tenant', rule, glob };
}
