import { expect, it } from 'vitest';
import { createRuntime } from '../../../src/runtime/index.ts';
import { FakeClock } from '../../support/clock.ts';
import { CALLER, eventually } from '../../support/runtimes.ts';
import { signal } from '../../support/signal.ts';
import { sqliteDatabase, withOverrides } from '../../support/stores.ts';
import { approval, document } from '../../support/workflows.ts';

const workflow = { ...document([approval('ask')]), data_policy: { pii_fields: ['$.name'] } };
const PAGE = { after: '', limit: 10 };

it('keeps the outcome of an execution that is found before the reply to the commit that ended it', async () => {
  const real = await sqliteDatabase().open();
  const [stored, arrival] = [signal(), signal()];
  let slow = '';
  const store = withOverrides(real, {
    async commit(batch) {
      const reply = await real.commit(batch);
      if (!batch.units.some(({ executions }) => executions.some(({ id }) => id === slow))) return reply;
      stored.give();
      await arrival.given;
      return reply;
    },
    erasures: {
      originals: (...range) => real.erasures.originals(...range),
      erase: (erasures) => real.erasures.erase(erasures),
      async pending(page) {
        if (slow !== '') await stored.given;
        return real.erasures.pending(page);
      },
    },
  });
  const clock = new FakeClock();
  const runtime = await createRuntime({ store, clock });
  await runtime.register(CALLER, workflow);
  const start = async () => (await runtime.start(CALLER, { workflowId: 'w', input: { name: 'Ann Smith' } })).executionId;
  const [first, second] = [await start(), await start()];
  slow = second;
  await runtime.cancel(CALLER, first);
  const cancelled = runtime.cancel(CALLER, second);
  const isPending = async (id: string) => (await real.erasures.pending(PAGE)).some(({ executionId }) => executionId === id);
  await stored.given;
  await eventually(async () => !(await isPending(first)));
  arrival.give();
  await cancelled;
  clock.advance(5_000);
  await eventually(async () => !(await isPending(second)));
  runtime.forget([first, second]);
  for (const id of [first, second]) expect(await runtime.execution('default', id)).toMatchObject({ status: 'cancelled' });
  await runtime.close(0);
});
