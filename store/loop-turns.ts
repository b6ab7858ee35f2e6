/** What waits for its turn, by tenant, in the order of the tenants' next turns. */
const waiting = new Map<string, (() => void)[]>();
let isScheduled = false;

/**
 * Resolves in a later turn of the event loop, in which no other piece of work that waits here goes on: many long reads at once hold the loop for as
 * long as one. Tenants take turns.
 */
export function nextTurn(tenantId: string): Promise<void> {
  return new Promise((resolve) => {
    const queue = waiting.get(tenantId);
    if (queue === undefined) waiting.set(tenantId, [resolve]);
    else queue.push(resolve);
    schedule();
  });
}

function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(resumeNext);
}

function resumeNext(): void {
  isScheduled = false;
  const [next] = waiting;
  if (next === undefined) return;
  const [tenantId, queue] = next;
  const resume = queue.shift();
  waiting.delete(tenantId);
  if (queue.length > 0) waiting.set(tenantId, queue);
  resume?.();
  if (waiting.size > 0) schedule();
}
