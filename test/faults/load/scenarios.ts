import { setTimeout as after } from 'node:timers/promises';
import type { Client } from './client.ts';
import type { TrackedExecution } from './tracked-execution.ts';

/** What a client does with one execution, from its start to its end. */
export type Scenario = (story: TrackedExecution, client: Client) => Promise<void>;

/** Some pay before they are asked to, some are decided on by two people at once, some are rejected and tried again. */
const order: Scenario = async (story, client) => {
  const { random } = client;
  if ((await story.start(client, {})) === null) return;
  const pay = () => story.event(client, 'paid', { nonce: `${story.key}-paid`, payer: story.key }, random.chance(0.8));
  const eager = random.chance(0.3);
  if (eager) await pay();
  let paid = eager;
  for (let round = 0; ; round += 1) {
    const status = await story.settled(client);
    if (status === 'paused') {
      if (await story.pending(client)) await decide(story, client, round);
      else if (!paid) {
        await pay();
        paid = true;
      } else await client.pause();
    } else if (status === 'failed' && random.chance(0.7)) await story.retry(client);
    else return;
  }
};

async function decide(story: TrackedExecution, client: Client, round: number): Promise<void> {
  const nonce = (who: string): string => `${story.key}-${who}-${round}`;
  const { random } = client;
  const second = random.chance(0.3) ? [story.decide(client, 'rejected', nonce('no'))] : [];
  await Promise.all([story.decide(client, random.chance(0.85) ? 'approved' : 'rejected', nonce('yes')), ...second]);
}

const startAndWait: Scenario = async (story, client) => {
  if ((await story.start(client, {})) !== null) await story.ended(client);
};

const race: Scenario = async (story, client) => {
  if ((await story.start(client, {})) === null) return;
  await after(client.random.between(0, 2_500));
  await story.event(client, 'paid', { nonce: `${story.key}-paid` });
  await story.ended(client);
};

/** Three people send ticks at once. */
const ticks: Scenario = async (story, client) => {
  if ((await story.start(client, {})) === null) return;
  const send = async (from: number): Promise<void> => {
    for (let i = from; i < 10; i += 3) await story.event(client, 'tick', { nonce: `${story.key}-${i}` });
  };
  await Promise.all([0, 1, 2].map(send));
  await story.ended(client);
};

const long: Scenario = async (story, client) => {
  const { random } = client;
  if ((await story.start(client, {})) === null) return;
  if (random.chance(0.5)) {
    await after(random.between(0, 500));
    await story.pause(client, `${story.key}-hold`);
    await story.resume(client);
  }
  await after(random.between(0, 2_000));
  await story.cancel(client, `${story.key}-cancel`);
  await story.ended(client);
};

const parent: Scenario = async (story, client) => {
  const { random } = client;
  if ((await story.start(client, {})) === null) return;
  if (random.chance(0.25)) {
    await after(random.between(0, 1_500));
    await story.cancel(client, `${story.key}-cancel`);
  }
  await story.ended(client);
};

const refused: Scenario = async (story, client) => {
  if ((await story.start(client, {})) === null) return;
  for (let status = await story.ended(client); status === 'failed'; status = await story.ended(client)) await story.retry(client);
};

/** Says what it has to say once or twice, and never learns what became of it. */
const abandon: Scenario = async (story, client) => {
  if ((await story.start(client, {}, 2)) === null) return;
  await story.event(client, 'paid', { nonce: `${story.key}-paid` }, false, 1);
  await story.cancel(client, `${story.key}-cancel`);
  await story.ended(client);
};

/** Of which workflow, how often, and what is done with it. */
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
