import { isObject, type Json, type JsonObject } from '../json.ts';
import type { Fields } from '../reading/fields.ts';
import { didYouMean } from '../suggest.ts';
import { errorClasses } from './error-classes.ts';
import type { RetryPolicy } from './workflow.ts';

const policy = (
  max_attempts: number,
  backoff: RetryPolicy['backoff'],
  initial_delay: number,
  max_delay: number,
  jitter: boolean,
) => ({
  max_attempts,
  backoff,
  initial_delay,
  max_delay,
  jitter,
  retryable_on: [],
});

export const DEFAULT_RETRY: RetryPolicy = policy(3, 'exponential', 1, 30, false);

const BUILT_IN: Readonly<Record<string, RetryPolicy>> = {
  no_retry: policy(1, 'fixed', 0, 0, false),
  fast: policy(2, 'fixed', 1, 1, false),
  io_default: policy(5, 'exponential', 1, 30, true),
  llm_default: policy(3, 'exponential', 2, 60, true),
};

export type RetryPolicies = ReadonlyMap<string, RetryPolicy>;

export function retryPolicies(fields: Fields): RetryPolicies {
  const named = fields.object('retry_policies') ?? {};
  const read = fields.inside('retry_policies', named);
  return new Map(
    Object.entries(named).map(([name, raw]) => {
      if (isObject(raw)) return [name, retryPolicy(read.inside(name, raw), DEFAULT_RETRY)];
      read.error('wrong_type', name, 'must be an object');
      return [name, DEFAULT_RETRY];
    }),
  );
}

/** The node's policy: its inline `retry` over the policy that it names over the default. */
export function retryOf(fields: Fields, policies: RetryPolicies): RetryPolicy {
  const named = fields.json('retry_policy');
  const base = typeof named === 'string' && named !== '' ? byName(fields, named, policies) : DEFAULT_RETRY;
  const inline = inlineRetry(fields, named);
  return inline === null ? base : retryPolicy(fields.inside('retry', inline), base);
}

function byName(fields: Fields, name: string, policies: RetryPolicies): RetryPolicy {
  const found = policies.get(name) ?? (Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name] : undefined);
  if (found !== undefined) return found;
  const hint = () => didYouMean(name, [...policies.keys(), ...Object.keys(BUILT_IN)]);
  fields.warning('unknown_retry_policy', 'retry_policy', `names "${name}", which does not exist: the default applies`, hint);
  return DEFAULT_RETRY;
}

/** The inline policy: `retry: {…}`, or an object under `retry_policy`. */
function inlineRetry(fields: Fields, named: Json | undefined): JsonObject | null {
  if (isObject(named)) return named;
  if (named !== undefined && typeof named !== 'string')
    fields.error('wrong_type', 'retry_policy', 'must be the name of a policy');
  return fields.object('retry') ?? null;
}

/** A policy with delays in seconds; `…_ms` keys and texts such as `"2s"` are converted. */
function retryPolicy(fields: Fields, base: RetryPolicy): RetryPolicy {
  const initial = fields.seconds(['initial_delay', 'base_delay', 'delay'], 'zero') ?? fromMs(fields, 'delay_ms');
  const max = fields.seconds(['max_delay'], 'zero') ?? fromMs(fields, 'max_delay_ms');
  const backoff = fields.oneOf(['backoff'], ['fixed', 'linear', 'exponential', 'constant']) ?? base.backoff;
  const initial_delay = initial ?? base.initial_delay;
  return {
    max_attempts: fields.integer(['max_attempts'], 1) ?? base.max_attempts,
    backoff: backoff === 'constant' ? 'fixed' : backoff,
    initial_delay,
    // The default maximum must not shorten an initial delay that the author wrote.
    max_delay: max ?? Math.max(base.max_delay, initial_delay),
    jitter: fields.boolean('jitter') ?? base.jitter,
    retryable_on: errorClasses(fields) ?? base.retryable_on,
  };
}

function fromMs(fields: Fields, key: string): number | undefined {
  const ms = fields.number([key], 0);
  return ms === undefined ? undefined : ms / 1000;
}
