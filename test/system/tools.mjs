// In-process tools of the system tests. What a test wants to know of a call, it finds as a line in the file `input.log`.
import { appendFileSync, existsSync } from 'node:fs';

export const echo = (input) => input;

export const count = ({ n = 0 }) => ({ n: n + 1 });

/** Fails until its attempt number reaches `failures`. */
export function flaky({ failures = 1 }, { attempt }) {
  if (attempt < failures) throw new Error(`attempt ${attempt} fails`);
  return { succeeded_at: attempt };
}

export function broken() {
  throw Object.assign(new Error('broken for good'), { retryable: false });
}

/** Fails for good unless `log` says that it did so before: across executions, unlike `flaky`. */
export function failsOnce({ log }) {
  if (existsSync(log)) return { succeeded: true };
  appendFileSync(log, 'failed\n');
  throw Object.assign(new Error('the first call fails'), { retryable: false });
}

/** Ends only when it is told to. */
export function patient({ log }, { signal, nodeId }) {
  return new Promise((_, reject) => {
    const abort = () => {
      appendFileSync(log, `${nodeId} aborted\n`);
      reject(signal.reason);
    };
    appendFileSync(log, `${nodeId} begun\n`);
    signal.addEventListener('abort', abort, { once: true });
  });
}

/** Does not listen to anybody, and keeps the process busy. */
export function stubborn({ log }) {
  appendFileSync(log, 'stubborn begun\n');
  return new Promise(() => setInterval(() => {}, 1_000));
}

/** Notes every call before it does anything, then takes its time: `ms`, or at the first attempt for ever with `hangs`. */
export async function noted({ log, ms = 0, hangs = false, step }, { executionId, nodeId, attempt, idempotencyKey }) {
  appendFileSync(log, `${executionId} ${nodeId} ${attempt} ${idempotencyKey}\n`);
  if (hangs && attempt === 0) await new Promise(() => {});
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
  return { [step]: { attempt } };
}
