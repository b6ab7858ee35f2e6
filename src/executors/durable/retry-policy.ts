import { DEFAULT_RETRY } from '../../../machines/ir/retry.ts';
import type { RetryPolicy } from '../../../machines/ir/workflow.ts';
import type { StepRetry } from './context.ts';
import { durationMs, invalid } from './names.ts';

/** The retry policy of a step in normal form. */
export function retryPolicyOf(given: StepRetry | undefined): RetryPolicy {
  if (given === undefined) return DEFAULT_RETRY;
  const {
    maxAttempts = DEFAULT_RETRY.max_attempts,
    backoff = DEFAULT_RETRY.backoff,
    initialDelay,
    maxDelay,
    jitter = false,
    retryableOn = [],
  } = given;
  if (!Number.isInteger(maxAttempts) || maxAttempts < 1)
    throw invalid(`retry.maxAttempts must be an integer of at least 1, not ${String(maxAttempts)}`);
  const initial =
    initialDelay === undefined ? DEFAULT_RETRY.initial_delay : durationMs('retry.initialDelay', initialDelay) / 1_000;
  const max =
    maxDelay === undefined ? Math.max(DEFAULT_RETRY.max_delay, initial) : durationMs('retry.maxDelay', maxDelay) / 1_000;
  return {
    max_attempts: maxAttempts,
    backoff,
    initial_delay: initial,
    max_delay: max,
    jitter,
    retryable_on: retryableOn.map(String),
  };
}
