import { setTimeout as after } from 'node:timers/promises';
import type { Client } from './client.ts';
import type { TrackedExecution } from './tracked-execution.ts';

/** The actions of a client on one execution, from its start to its end. */
export type Scenario = (tracked: TrackedExecution, client: Client) => Promise<void>;

/** Some payments arrive early, some orders are decided by two people at once, some are rejected and retried. */
const order: Scenario = async (tracked, client) => {
  const { random } = client;
  if ((await tracked.start(client, {})) === null) return;
  const pay = () => tracked.event(client, 'paid', { nonce: `${tracked.key}-paid`, payer: tracked.key }, random.chance(0.8));
  const eager = random.chance(0.3);
  if (eager) await pay();
  let paid = eager;
  for (let round = 0; ; round += 1) {
    const status = await tracked.settled(client);
    if (status === 'paused') {
      if (await tracked.pending(client)) await decide(tracked, client, round);
      else if (!paid) {
        await pay();
        paid = true;
      } else await client.pause();
    } else if (status === 'failed' && random.chance(0.7)) await tracked.retry(client);
    else return;
  }
};

async function decide(tracked: TrackedExecution, client: Client, round: number): Promise<void> {
  const nonce = (who: string): string => `${tracked.key}-${who}-${round}`;
  const { random } = client;
  const second = random.chance(0.3) ? [tracked.decide(client, 'rejected', nonce('no'))] : [];
  await Promise.all([tracked.decide(client, random.chance(0.85) ? 'approved' : 'rejected', nonce('yes')), ...second]);
}

const startAndWait: Scenario = async (tracked, client) => {
  if ((await tracked.start(client, {})) !== null) await tracked.ended(client);
};

const race: Scenario = async (tracked, client) => {
  if ((await tracked.start(client, {})) === null) return;
  await after(client.random.between(0, 2_500));
  await tracked.event(client, 'paid', { nonce: `${tracked.key}-paid` });
  await tracked.ended(client);
};

/** Three senders send ticks concurrently. */
const ticks: Scenario = async (tracked, client) => {
  if ((await tracked.start(client, {})) === null) return;
  const send = async (from: number): Promise<void> => {
    for (let i = from; i < 10; i += 3) await tracked.event(client, 'tick', { nonce: `${tracked.key}-${i}` });
  };
  await Promise.all([0, 1, 2].map(send));
  await tracked.ended(client);
};

const long: Scenario = async (tracked, client) => {
  const { random } = client;
  if ((await tracked.start(client, {})) === null) return;
  if (random.chance(0.5)) {
    await after(random.between(0, 500));
    await tracked.pause(client, `${tracked.key}-hold`);
    await tracked.resume(client);
  }
  await after(random.between(0, 2_000));
  await tracked.cancel(client, `${tracked.key}-cancel`);
  await tracked.ended(client);
};

const parent: Scenario = async (tracked, client) => {
  const { random } = client;
  if ((await tracked.start(client, {})) === null) return;
  if (random.chance(0.25)) {
    await after(random.between(0, 1_500));
    await tracked.cancel(client, `${tracked.key}-cancel`);
  }
  await tracked.ended(client);
};

const refused: Scenario = async (tracked, client) => {
  if ((await tracked.start(client, {})) === null) return;
  for (let status = await tracked.ended(client); status === 'failed'; status = await tracked.ended(client))
    await tracked.retry(client);
};

/** Sends each request once or twice, and may never learn the outcome. */
const abandon: Scenario = async (tracked, client) => {
  if ((await tracked.start(client, {}, 2)) === null) return;
  await tracked.event(client, 'paid', { nonce: `${tracked.key}-paid` }, false, 1);
  await tracked.cancel(client, `${tracked.key}-cancel`);
  await tracked.ended(client);
};

/** Workflow, relative frequency, and actions of each scenario. */
export const SCENARIOS: readonly { readonly workflow: string; readonly weight: number; readonly play: Scenario }[] = [
  { workflow: 'order', weight: 5, play: order },
  { workflow: 'order', weight: 1, play: abandon },
  { workflow: 'rounds', weight: 2, play: startAndWait },
  { workflow: 'reminder', weight: 2, play: startAndWait },
  { workflow: 'calling', weight: 2, play: startAndWait },
  { workflow: 'race', weight: 2, play: race },
  { workflow: 'ticks', weight: 1, play: ticks },
  { workflow: 'long', weight: 2, play: long },
  { workflow: 'parent', weight: 2, play: parent },
  { workflow: 'refused', weight: 1, play: refused },
];
