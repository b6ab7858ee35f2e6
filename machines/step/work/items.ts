import { evaluate } from '../../expression/index.ts';
import { render } from '../../expression/template.ts';
import { isRetryable } from '../../ir/error-classes.ts';
import type { Json } from '../../json.ts';
import { charsUpTo } from '../../json-size.ts';
import { definitionOf, workKindOf } from '../../nodes/index.ts';
import type { ItemWork } from '../../nodes/kind.ts';
import { retryTimerId } from '../../program/timers.ts';
import type { StepEnv } from '../../run.ts';
import { meter } from '../actions/budgets.ts';
import { addCause } from '../actions/causes.ts';
import { failureData } from '../actions/failure-data.ts';
import { strategyNodeBegins } from '../actions/strategy.ts';
import { threadData } from '../actions/thread-data.ts';
import { usageEventData } from '../actions/usage.ts';
import { type ActiveVisit, visitIn } from '../context/active-visits.ts';
import { MapProgress } from '../context/map-progress.ts';
import { OpenItems } from '../context/open-items.ts';
import type { StepContext } from '../context/step-context.ts';
import type { DoneEvent, FailEvent, MachineEvent } from '../machine-event.ts';
import { countAttempt, holdAtLimit } from './autonomy-gate.ts';
import { beginAttempt } from './begin-attempt.ts';
import { applyRuling, rulingOn } from './policy-gate.ts';
import { budgetFailure, itemNames, renderAtNode, scopeAtNode } from './templates.ts';

// A node that does the same work for every item of a list. Its machine has one state for it, which an event of this module leaves: what an item
// does moves no machine.

export const MAX_ITEMS = 10_000;
/** Characters of JSON that the list may have, and what is kept of the results together. */
const MAX_CHARS = 16 * 1024 * 1024;
/** The class of failures that leave no room for the rest of the list. */
const NO_ROOM = 'state_too_large';

type ActiveMap = ActiveVisit & Required<Pick<ActiveVisit, 'map' | 'items'>>;

/** An event with which the node ends; null = it goes on. */
type End = DoneEvent | FailEvent | null;

/** Begins the node, or goes on with it: begins as many items as may be at work. */
export function beginItems(step: StepContext, node: string, active: ActiveVisit, env: StepEnv): End {
  if (active.phase !== 'items') {
    const failure = beginList(step, node, active, env);
    if (failure !== null) return failure;
  }
  const { maxConcurrency } = itemWorkOf(step, node);
  for (let item = nextItem(step, node, maxConcurrency); item !== undefined; item = nextItem(step, node, maxConcurrency)) {
    const failure = beginItem(step, node, item, env);
    const end = failure === null ? null : itemFailed(step, failure, item);
    if (end !== null || step.halt !== null) return end;
  }
  return endIfOver(step, node, env);
}

/** Takes the list, or that of the visit whose failure a retry has reset. */
function beginList(step: StepContext, node: string, { activation, map }: ActiveVisit, env: StepEnv): FailEvent | null {
  const begun = { activation, attempt: 0, phase: 'items', atMs: env.nowMs } as const;
  let progress = map;
  if (progress === undefined) {
    step.setActive(node, begun);
    const items = listOf(step, node, env);
    if ('type' in items) return items;
    progress = MapProgress.start(items);
    strategyNodeBegins(step, node);
  }
  const { count, succeeded } = progress;
  step.addEvent('map_started', node, succeeded === 0 ? { count, activation } : { count, kept: succeeded, activation });
  step.setActive(node, Object.assign(begun, { map: progress, items: OpenItems.of<ActiveVisit>({}) }));
  return null;
}

function listOf(step: StepContext, node: string, env: StepEnv): readonly Json[] | FailEvent {
  const { value, error, exceeded } = evaluatedItems(step, node, env);
  if (exceeded !== undefined) {
    step.evaluation.noteExceeded(node, exceeded);
    return budgetFailure(step, node);
  }
  if (error !== undefined) return failure(node, `items cannot be evaluated: ${error}`, 'validation');
  if (!Array.isArray(value)) return failure(node, `items must be a list, not ${typeName(value)}`, 'validation');
  const list = value as readonly Json[];
  if (list.length > MAX_ITEMS)
    return failure(node, `the list has ${list.length} items, at most ${MAX_ITEMS} are possible`, 'too_many_items');
  if (charsUpTo(list, MAX_CHARS) > MAX_CHARS) return failure(node, 'the items are larger than 16 MiB together', 'too_many_items');
  return list;
}

/** `exceeded`: the expression at which the evaluation budget was used up. */
function evaluatedItems(
  step: StepContext,
  node: string,
  env: StepEnv,
): { readonly value: Json; readonly error?: string | undefined; readonly exceeded?: string } {
  const templates = step.tables.itemTemplates(step.indexOf(node));
  if (templates === null) throw new TypeError(`node ${node} works on no list`);
  const { items } = templates;
  const scope = scopeAtNode(step, node, env.executionId);
  if ('root' in items) {
    const { errors, ...rendered } = render(items, scope, step.evaluation.budget);
    return { error: errors[0], ...rendered };
  }
  const { exceeded, ...evaluated } = evaluate(items, scope, step.evaluation.budget);
  return exceeded === true ? Object.assign({}, evaluated, { exceeded: items.text }) : evaluated;
}

function typeName(value: Json): string {
  return value === null
    ? 'null'
    : typeof value === 'string'
      ? 'a text'
      : `a${/^[aeiou]/.test(typeof value) ? 'n' : ''} ${typeof value}`;
}

/** The next item that may begin: one whose attempt was deferred, or one that has not begun. */
function nextItem(step: StepContext, node: string, maxConcurrency: number): number | undefined {
  const { items, map } = activeMap(step, node);
  if (items.deferred > 0) return items.entries().find(([, { phase }]) => phase === 'deferred')?.[0];
  return items.size < maxConcurrency ? map.upcoming : undefined;
}

/** Begins an item, or its next attempt; its failure if it ends as soon as it begins. */
export function beginItem(step: StepContext, node: string, item: number, env: StepEnv): FailEvent | null {
  const map = activeMap(step, node);
  const known = map.items.get(item);
  const active: ActiveVisit = known ?? { activation: map.activation, attempt: 0, phase: 'queued' };
  if (known === undefined) {
    step.setActive(node, Object.assign({}, map, { map: map.map.begin(item) }));
    step.setActive(node, active, item);
  }
  const ruling = rulingOn(step, node, active, known === undefined, env, item);
  if (step.evaluation.hasExceeded(node)) return budgetFailure(step, node);
  if (ruling !== null) return applyRuling(step, node, active, ruling, env.nowMs, item);
  // The same attempt begins again: limits are for those that follow.
  const isAgain = known?.phase === 'running' && known.approved !== true;
  const limited = isAgain ? null : holdAtLimit(step, node, active, env.nowMs, item);
  if (limited !== null) return limited === 'held' ? null : limited;
  return beginAttempt(step, node, active, workKindOf(step.tables.nodeOf(node).kind), env, item);
}

/** The attempt at an item begins with the next turn of the node. */
export function deferItem(step: StepContext, node: string, item: number, change: Partial<ActiveVisit> = {}): void {
  step.setActive(node, Object.assign(visitIn('deferred', step.activeOf(node, item)), change), item);
}

/** An item has a result. `output`: of its work, with the mapping of a child's final state applied. */
export function itemCompleted(step: StepContext, event: DoneEvent | ChildCompleted, item: number, env: StepEnv): End {
  const { node } = event;
  const active = step.activeOf(node, item);
  const output = event.type === 'done' ? event.output : (event.change.mapped ?? event.change.result);
  const kept = keptOf(step, node, item, output, env);
  if (kept === undefined) return itemFailed(step, budgetFailure(step, node), item);
  addCause(step, event, node, active, item);
  const measured =
    event.type === 'done' ? { duration_ms: event.durationMs, ...usageEventData(event.usage), ...threadData(event.thread) } : {};
  step.addEvent('node_completed', node, Object.assign({ output }, measured, { activation: active.activation, item }));
  step.endItem(node, item);
  countAttempt(step, node, event, 'succeeded');
  const map = activeMap(step, node);
  step.setActive(node, Object.assign({}, map, { map: map.map.succeed(item, kept) }));
  meter(step, node, event);
  if (step.halt !== null) return null;
  if (itemWorkOf(step, node).takesFirst) return completed(step, node, env, kept);
  if (activeMap(step, node).map.resultChars > MAX_CHARS)
    return failed(step, failure(node, 'the results are larger than 16 MiB together', 'output_too_large'));
  return null;
}

type ChildCompleted = Extract<MachineEvent, { type: 'child' }> & {
  readonly change: { readonly status: 'completed'; readonly result: Json; readonly mapped?: Json };
};

/** What is kept of a result; undefined = the evaluation budget does not suffice for the template. */
function keptOf(step: StepContext, node: string, item: number, output: Json, env: StepEnv): Json | undefined {
  const template = step.tables.itemTemplates(step.indexOf(node))?.output ?? null;
  if (template === null) return output;
  const own = { output, outputKey: null, names: itemNames(step.tables, step.now, node, item) };
  return renderAtNode(step, node, template, env.executionId, 'output', own);
}

/** An attempt at an item has failed: another one follows, or the item has failed for good. */
export function itemFailed(step: StepContext, event: FailEvent, item: number): FailEvent | null {
  const { node, error } = event;
  const active = step.activeOf(node, item);
  const { activation, attempt } = active;
  const { retry } = step.tables.nodeOf(node);
  const on = retry.retryable_on.length === 0 ? undefined : retry.retryable_on;
  const retryable = attempt + 1 < retry.max_attempts && isRetryable(on, event);
  addCause(step, event, node, active, item);
  if (!retryable) step.effects.release(node, active, event.errorClass ?? null);
  step.addEvent('node_failed', node, { error, attempt, retryable, ...failureData(event), activation, item });
  if (retryable) retryLater(step, event, active, item);
  else {
    step.endItem(node, item);
    const map = activeMap(step, node);
    step.setActive(node, Object.assign({}, map, { map: map.map.fail(item, error) }));
  }
  if (active.phase !== 'awaiting_approval') countAttempt(step, node, event, retryable ? 'retried' : 'failed');
  meter(step, node, event);
  if (retryable || step.halt !== null) return null;
  const { map } = activeMap(step, node);
  const { tolerated } = itemWorkOf(step, node);
  const isTooMany = map.failed > tolerated(map.count) || event.errorClass === NO_ROOM;
  return isTooMany ? failed(step, listFailure(node, map, item, event)) : null;
}

function retryLater(step: StepContext, { node, delayMs, parkedUntilMs }: FailEvent, active: ActiveVisit, item: number): void {
  const { activation, attempt } = active;
  const next = attempt + 1;
  const data = { attempt: next, delay_ms: delayMs };
  if (parkedUntilMs === undefined) step.addEvent('retry_scheduled', node, Object.assign(data, { activation, item }));
  else {
    const retry_after = new Date(parkedUntilMs).toISOString();
    step.addEvent('node_parked', node, Object.assign(data, { retry_after, activation, item }));
  }
  const isAtOnce = delayMs === 0;
  step.setActive(node, Object.assign(visitIn(isAtOnce ? 'deferred' : 'backoff', active), { attempt: next }), item);
  if (!isAtOnce) step.timers.set(retryTimerId(node, item), delayMs);
}

/** The failure of the node, which names the item that brought it about. */
function listFailure(node: string, { failed, count }: MapProgress, item: number, { error, errorClass }: FailEvent): FailEvent {
  const text =
    failed === 1 ? `item ${item}: ${error}` : `${failed} of ${count} items failed, the last was item ${item}: ${error}`;
  return failure(node, text, errorClass);
}

function endIfOver(step: StepContext, node: string, env: StepEnv): End {
  const { items, map } = activeMap(step, node);
  if (items.size > 0 || map.upcoming !== undefined) return null;
  const { takesFirst } = itemWorkOf(step, node);
  if (!takesFirst) return completed(step, node, env, map.output());
  if (map.count === 0) return completed(step, node, env, null);
  return failed(step, failure(node, `none of ${map.count} items succeeded`, 'items_failed'));
}

/** The time of the node is over. */
export function itemsTimedOut(step: StepContext, node: string): FailEvent {
  step.addEvent('timer_fired', node, { activation: step.activeOf(node).activation });
  return failed(step, failure(node, 'timeout', 'timeout'));
}

/** The node completes. */
function completed(step: StepContext, node: string, env: StepEnv, output: Json): DoneEvent {
  const { atMs = env.nowMs } = endItems(step, node);
  return { type: 'done', node, output, durationMs: env.nowMs - atMs };
}

/** The node fails. What has not succeeded begins again with a retry. */
function failed(step: StepContext, event: FailEvent): FailEvent {
  const { node } = event;
  const open = activeMap(step, node).items.entries();
  endItems(step, node);
  const active = activeMap(step, node);
  step.setActive(node, Object.assign({}, active, { map: active.map.retry(open.map(([item]) => item)) }));
  return event;
}

/** Cancels what is in progress, and logs how the items have ended. Returns the visit. */
function endItems(step: StepContext, node: string): ActiveMap {
  const active = activeMap(step, node);
  const { activation, map, items } = active;
  for (const [item] of items.entries()) step.cancelItem(node, item);
  const cancelled = map.count - map.succeeded - map.failed;
  const counts = { succeeded: map.succeeded, failed: map.failed, ...(cancelled === 0 ? {} : { cancelled }) };
  step.addEvent('map_completed', node, Object.assign(counts, { activation }));
  return active;
}

function failure(node: string, error: string, errorClass: string | undefined): FailEvent {
  const event = { type: 'fail', node, error, retryable: false, delayMs: 0 } as const;
  return errorClass === undefined ? event : Object.assign(event, { errorClass });
}

function activeMap(step: StepContext, node: string): ActiveMap {
  const active = step.activeOf(node);
  if (active.map === undefined || active.items === undefined) throw new TypeError(`node ${node} works on no list`);
  return active as ActiveMap;
}

function itemWorkOf(step: StepContext, node: string): ItemWork {
  const { kind } = step.tables.nodeOf(node);
  const work = definitionOf(kind).itemWork(kind);
  if (work === null) throw new TypeError(`node ${node} works on no list`);
  return work;
}
