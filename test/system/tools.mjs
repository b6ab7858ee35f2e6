// In-process tools of the system tests. Calls are recorded as lines in the file `input.log`.
import { appendFileSync, existsSync } from 'node:fs';

export const echo = (input) => input;

/** The work of one item; the file `log` shows the calls that have ended. From item `from` on, it waits until the file `go` exists. */
export async function tally({ item, log, from, go }) {
  while (item >= from && !existsSync(go)) await new Promise((resolve) => setTimeout(resolve, 10));
  appendFileSync(log, `${item}\n`);
  return item;
}

export const count = ({ n = 0 }) => ({ n: n + 1 });

/** Fails until its attempt number reaches `failures`. */
export function flaky({ failures = 1 }, { attempt }) {
  if (attempt < failures) throw new Error(`attempt ${attempt} fails`);
  return { succeeded_at: attempt };
}

export function broken() {
  throw Object.assign(new Error('broken for good'), { retryable: false });
}

/** Fails with an error that is not retryable unless `log` shows an earlier failure; across executions, unlike `flaky`. */
export function failsOnce({ log }) {
  if (existsSync(log)) return { succeeded: true };
  appendFileSync(log, 'failed\n');
  throw Object.assign(new Error('the first call fails'), { retryable: false });
}

/** Ends only when it is aborted. */
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

/** Ignores its abort signal, and blocks the event loop. */
export function stubborn({ log }) {
  appendFileSync(log, 'stubborn begun\n');
  return new Promise(() => setInterval(() => {}, 1_000));
}

/** Records every call first, then takes `ms` milliseconds; with `hangs` the first attempt never ends. */
export async function noted({ log, ms = 0, hangs = false, step }, { executionId, nodeId, attempt, idempotencyKey }) {
  appendFileSync(log, `${executionId} ${nodeId} ${attempt} ${idempotencyKey}\n`);
  if (hangs && attempt === 0) await new Promise(() => {});
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
  return { [step]: { attempt } };
}
