import type { Carried } from '../carried.ts';
import type { LogEvent } from '../events/index.ts';
import type { Continuation } from '../ir/workflow.ts';
import type { Json } from '../json.ts';
import { charsUpTo } from '../json-size.ts';
import type { UsageTotals } from '../messages.ts';
import { type Context, own } from './context/context.ts';
import { RECORDED_INPUT_FIELDS } from './work/recorded-input.ts';

/** Fields for readers of the log alone, which no replay compares: what they say may be said otherwise by the next release. */
export const FIELDS_FOR_READERS: ReadonlySet<string> = new Set(['taken', 'evaluated', 'traceparent', ...RECORDED_INPUT_FIELDS]);

/** Parts of the context that count on in the execution that continues another one. */
const COUNTED_ON = ['usage', 'budgets', 'autonomy', 'evalRetries', 'measures'] as const;

/** The limit that the execution has passed, in words; null = none. One that has done nothing yet has passed none. */
export function passedLimit({ steps, logChars = 0 }: Context, { after_steps, after_bytes }: Continuation): string | null {
  if (steps === 0) return null;
  if (after_steps !== null && steps >= after_steps) return `${steps} steps (continue_as_new after ${after_steps})`;
  return after_bytes !== null && logChars >= after_bytes
    ? `${logChars} bytes of log (continue_as_new after ${after_bytes})`
    : null;
}

/** Size of what a replay repeats of the events. The start, whose size is that of the state, is none of it. */
export function logCharsOf(events: readonly LogEvent[]): number {
  let chars = 0;
  for (const { type, data } of events) {
    if (type === 'workflow_started') continue;
    for (const field in data)
      if (!FIELDS_FOR_READERS.has(field)) chars += field.length + charsUpTo(data[field] ?? null, Number.POSITIVE_INFINITY);
  }
  return chars;
}

/** What the execution that continues at the node takes over. `input`: what a durable function there is given. */
export function carriedTo(context: Context, node: string, input?: Json): Carried {
  const { earlyEvents, pendingInputs } = context;
  const inputs = own(pendingInputs, node);
  const carried: { -readonly [Part in keyof Carried]: Carried[Part] } = { node };
  if (input !== undefined) carried.input = input;
  if (inputs !== undefined) carried.inputs = inputs;
  if (earlyEvents.length > 0) carried.events = earlyEvents.map(({ key, payload }) => ({ key, payload }));
  const counted = COUNTED_ON.flatMap((part) => (context[part] == null ? [] : [[part, context[part]] as const]));
  return Object.assign(carried, Object.fromEntries(counted));
}

/** The part of the context that `carriedTo` gave. Its buffered events are those of the first event, which has them. */
export function contextOf(carried: Carried | undefined): Partial<Context> {
  if (carried === undefined) return {};
  const { node, input, inputs, events = [], ...counted } = carried;
  const context: { -readonly [Part in keyof Context]?: Context[Part] } = counted;
  context.earlyEvents = events.map(({ key, payload }) => ({ key, payload, sequence: 1 }));
  if (input !== undefined) context.continuedInput = { node, input };
  if (inputs !== undefined) context.pendingInputs = { [node]: inputs };
  if (counted.usage !== undefined) context.usedBefore = counted.usage;
  return context;
}

/** What has been used since; undefined = nothing. */
export function usageSince(before: UsageTotals | undefined, usage: UsageTotals): UsageTotals | undefined {
  if (before === undefined) return usage;
  const since = {
    input_tokens: usage.input_tokens - before.input_tokens,
    output_tokens: usage.output_tokens - before.output_tokens,
    cost_usd: usage.cost_usd - before.cost_usd,
  };
  return Object.values(since).every((used) => used === 0) ? undefined : since;
}
