import { expect, it } from 'vitest';
import { CALLER, openTestRuntime } from '../../../support/runtimes.ts';

const waiting = {
  workflow_id: 'waiting',
  version: '1',
  nodes: { w: { kind: { type: 'wait', condition: 'external_event', correlation_key: 'k' } } },
  edges: [],
} as never;
/** More than is read at once. */
const EVENTS = 600;

it('an execution whose long log had to be replayed gets a checkpoint with its next commit', async () => {
  // Nothing else asks for one.
  const checkpointLogBytes = 100_000_000;
  const before = await openTestRuntime({ checkpointLogBytes });
  const id = await before.run(waiting);
  const send = ({ runtime }: typeof before, key: string) => runtime.sendEvent(CALLER, id, { key, payload: 1 });
  await Promise.all(Array.from({ length: EVENTS }, (_, i) => send(before, `k${i}`)));
  expect(await before.store.checkpoint(id)).toBeNull();
  await before.close();
  const after = await openTestRuntime({ path: before.path, clock: before.clock, checkpointLogBytes });
  await send(after, 'next');
  expect(await after.store.checkpoint(id)).toMatchObject({ seq: (await after.runtime.execution('default', id)).sequence });
});
