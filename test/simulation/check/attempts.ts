import type { Node, Workflow } from '../../../machines/ir/workflow.ts';
import type { TimedEvent } from '../../../machines/replay/index.ts';
import { itemText, type ToolCall } from './online-checker.ts';

interface Visit {
  /** The current or last attempt. */
  attempt: number;
  began: boolean;
  /** The attempt has started, and does not only wait for a slot. */
  started: boolean;
  failed: boolean;
  outcome: string | null;
  /** What its attempts have decided and logged; a fork decides anew. */
  decided: string | null;
}

const OUTCOMES: Readonly<Record<string, string>> = {
  node_completed: 'completed',
  node_skipped: 'skipped',
  node_cancelled: 'cancelled',
};

/**
 * Checks the attempts and timers of a log, independent of the graph: attempts of a visit count up to their maximum, each ends once, a visit has
 * one outcome, a result belongs to the current attempt, a decision that an attempt has logged stands, and a timer fires once and not early. `jumpedMs`: by how much
 * clocks have jumped.
 */
export function checkAttempts(
  log: readonly TimedEvent[],
  workflow: Workflow,
  calls: readonly ToolCall[],
  jumpedMs: number,
): readonly string[] {
  const problems: string[] = [];
  const visits = new Map<string, Visit>();
  const timers = new Map<string, number>();
  const retries = new Map<string, number>();
  const delays = new Map<string, number>();
  const nodes = new Map(workflow.nodes.map((node) => [node.id, node]));
  for (const { sequence, type, node_id, data, at_ms } of log) {
    if (type === 'workflow_forked') {
      for (const visit of visits.values()) visit.decided = null;
      // A delay begins anew, by the clock of the runtime that forks.
      for (const name of retries.keys()) retries.set(name, at_ms + (delays.get(name) ?? 0));
    }
    if (node_id === null || data.activation === 0) continue;
    const name = `${node_id}:${data.activation}${itemText(data.item)}`;
    if (type === 'map_started') {
      // What has not succeeded begins anew with each try of a list.
      for (const [item, { outcome }] of visits) if (item.startsWith(`${name} `) && outcome !== 'completed') visits.delete(item);
      const seconds = listSecs(nodes.get(node_id)?.kind);
      if (seconds !== undefined) timers.set(name, at_ms + seconds * 1_000);
    }
    const problem = (text: string): void => void problems.push(`${sequence} ${type} ${name}: ${text}`);
    const visit = visits.get(name) ?? { attempt: 0, began: false, started: false, failed: false, outcome: null, decided: null };
    visits.set(name, visit);
    switch (type) {
      case 'node_scheduled':
      case 'node_started': {
        const attempt = Number(data.attempt ?? 0);
        if (visit.outcome !== null) problem(`the visit is over: ${visit.outcome}`);
        const retryMs = retries.get(name) ?? at_ms;
        if (at_ms + jumpedMs < retryMs) problem(`the attempt was to begin ${retryMs - at_ms} ms later`);
        retries.delete(name);
        const isNext = visit.failed ? attempt === visit.attempt + 1 : attempt === visit.attempt;
        if (!isNext) problem(`attempt ${attempt} after ${visit.attempt}${visit.failed ? ', which failed' : ''}`);
        const most = nodes.get(node_id)?.retry.max_attempts ?? 1;
        if (attempt >= most) problem(`attempt ${attempt} of at most ${most}`);
        // Of a finalizer, the wait for a worker counts, too.
        const node = nodes.get(node_id);
        if (node?.kind.type === 'finalizer' && (visit.failed || !visit.began))
          timers.set(name, at_ms + (node.timeout_secs ?? 0) * 1_000);
        Object.assign(visit, { attempt, began: true, started: type === 'node_started', failed: false });
        break;
      }
      case 'node_failed':
        if (visit.outcome !== null || visit.failed) problem(`it has ended already: ${visit.outcome ?? 'failed'}`);
        if (visit.began && data.attempt !== undefined && data.attempt !== visit.attempt)
          problem(`attempt ${data.attempt}, and ${visit.attempt} is in progress`);
        if (data.error === 'runtime lost' && !visit.started) problem('the attempt had not started');
        visit.failed = true;
        if (nodes.get(node_id)?.kind.type === 'finalizer') timers.delete(name);
        break;
      case 'timer_created':
        timers.set(name, Date.parse(String(data.fire_at)));
        break;
      case 'interrupt_raised': {
        const seconds = reviewSecs(nodes.get(node_id)?.kind);
        if (seconds !== undefined) timers.set(name, at_ms + seconds * 1_000);
        break;
      }
      case 'coordinator_decision':
        // It may be logged again if the reply to its commit was lost.
        if (visit.decided !== null && visit.decided !== data.selected) problem(`it has decided on ${visit.decided} before`);
        if (data.attempt !== visit.attempt) problem(`attempt ${data.attempt}, and ${visit.attempt} is in progress`);
        visit.decided = typeof data.selected === 'string' ? data.selected : null;
        break;
      case 'tool_approval_required': {
        // A retry that a person has to allow, once its time has come.
        const retryMs = retries.get(name) ?? at_ms;
        if (at_ms + jumpedMs < retryMs) problem(`the attempt was to begin ${retryMs - at_ms} ms later`);
        retries.delete(name);
        if (visit.failed) Object.assign(visit, { attempt: visit.attempt + 1, began: false, started: false, failed: false });
        break;
      }
      case 'retry_scheduled':
        // An attempt at once depends on no clock.
        if (data.delay_ms === 0) retries.delete(name);
        else retries.set(name, at_ms + Number(data.delay_ms));
        delays.set(name, Number(data.delay_ms));
        break;
      case 'timer_fired': {
        // The timer of a retry is logged only while the execution is suspended, because its attempt is deferred.
        const dueMs = timers.get(name) ?? retries.get(name);
        if (dueMs !== undefined && at_ms + jumpedMs < dueMs) problem(`fired ${dueMs - at_ms} ms early`);
        if (dueMs === undefined) problem('no timer was set');
        if (!timers.delete(name)) retries.delete(name);
        break;
      }
      case 'node_completed':
      case 'node_skipped':
      case 'node_cancelled': {
        if (visit.outcome !== null) problem(`the visit is over: ${visit.outcome}`);
        visit.outcome = OUTCOMES[type] ?? type;
        const { selected } = (data.output ?? {}) as { readonly selected?: string };
        const isCoordinator = type === 'node_completed' && nodes.get(node_id)?.kind.type === 'coordinator';
        if (isCoordinator && selected !== visit.decided)
          problem(`its result is ${selected}, and it has decided on ${visit.decided}`);
        const call = calls.find((each) => each.call === (data.output as { readonly call?: number } | null | undefined)?.call);
        const isOfVisit = call?.node === node_id && call.activation === data.activation && call.item === data.item;
        if (type === 'node_completed' && isOfVisit && call.attempt !== visit.attempt)
          problem(`the result is of attempt ${call.attempt}, and ${visit.attempt} is in progress`);
      }
    }
  }
  return problems;
}

/** The time for the whole of a list. */
function listSecs(kind: Node['kind'] | undefined): number | undefined {
  return kind?.type === 'map' ? kind.timeout_total_secs : undefined;
}

/** The time that a person has. */
function reviewSecs(kind: Node['kind'] | undefined): number | undefined {
  if (kind?.type === 'human_approval') return kind.timeout_secs;
  return kind?.type === 'eval' ? kind.review_timeout_secs : undefined;
}
