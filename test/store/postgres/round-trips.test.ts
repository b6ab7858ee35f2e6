import { describe, expect, it, onTestFinished } from 'vitest';
import { CountingProxy } from '../../../bench/subjects/counting-proxy.ts';
import type { ExecutionWrite } from '../../../store/port/commit.ts';
import type { KeyWrite } from '../../../store/port/resources/keys.ts';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { AT_MS, batch, startExecution, step } from '../writes.ts';

const server = postgresServer();
const MANY = 100;

async function countingStore() {
  const database = postgresDatabase(server);
  const proxy = await CountingProxy.to(server().port);
  onTestFinished(() => proxy.close());
  const url = new URL(await database.url());
  url.port = String(proxy.port);
  const store = await database.open({ url: url.href });
  const counted = async <T>(act: () => Promise<T>): Promise<readonly [T, number]> => {
    const before = proxy.roundTrips;
    return [await act(), proxy.roundTrips - before];
  };
  const commit = async (writes: readonly ExecutionWrite[]) => {
    const [outcomes, roundTrips] = await counted(() => store.commit({ ...batch(...writes), singleProcess: true }));
    return { roundTrips, refused: outcomes.flatMap((outcome) => (outcome === null ? [] : [outcome.reason])) };
  };
  // The connection that writes is made, and what it has to know is read.
  await commit([startExecution('first')]);
  return { store, counted, commit };
}

function each(write: (n: number) => ExecutionWrite): readonly ExecutionWrite[] {
  return Array.from({ length: MANY }, (_, n) => write(n));
}

function key(n: number, op: 'take' | 'free' = 'take'): KeyWrite {
  return { op, workflowId: 'refund', key: `order-${n}` };
}

function turn(n: number) {
  return {
    id: `customer-${n}`,
    read: null,
    nodeId: 'talk',
    activation: 1,
    messages: ['{"role":"user"}', '{"role":"assistant"}'],
  };
}

describe('a commit takes one round trip', () => {
  it('with any number of keys that are taken, passed on and freed', async () => {
    const { commit } = await countingStore();
    const inherit = (n: number): KeyWrite => ({ op: 'inherit', workflowId: 'refund', key: `order-${n}`, from: `exec_${n}` });
    const steps = [
      each((n) => startExecution(`exec_${n}`, { keys: [key(n)] })),
      each((n) => step(`exec_${n}`, 2)).flatMap((ended, n) => [ended, startExecution(`next_${n}`, { keys: [inherit(n)] })]),
      each((n) => step(`next_${n}`, 2, { keys: [key(n, 'free')] })),
    ];
    for (const writes of steps) expect(await commit(writes)).toEqual({ roundTrips: 1, refused: [] });
  });

  it('with any number of keys that are freed for others', async () => {
    const { commit } = await countingStore();
    await commit(each((n) => startExecution(`exec_${n}`, { keys: [key(n)] })));
    const writes = each((n) => step(`exec_${n}`, 2, { keys: [key(n, 'free')] })).flatMap((ended, n) => [
      ended,
      startExecution(`brief_${n}`, { keys: [key(n), key(n, 'free')] }),
      startExecution(`next_${n}`, { keys: [key(n)] }),
    ]);
    expect(await commit(writes)).toEqual({ roundTrips: 1, refused: [] });
  });

  it('with any number of turns of threads', async () => {
    const { commit } = await countingStore();
    expect(await commit(each((n) => startExecution(`exec_${n}`, { threads: [turn(n)] })))).toEqual({
      roundTrips: 1,
      refused: [],
    });
  });

  it('with approvals, and with what a data policy keeps', async () => {
    const { commit } = await countingStore();
    const asked = { op: 'put', workflowId: 'refund', nodeId: 'ask', activation: 1, item: null, requestedAtMs: AT_MS } as const;
    const approval = { ...asked, seq: 1, expiresAtMs: null, decidedAtMs: null, decidedSeq: null };
    const redaction = { originals: [{ seq: 1, salt: 's', data: '{}' }], ended: { atMs: AT_MS, removeAtMs: null } };
    const writes = each((n) => startExecution(`exec_${n}`, { approvals: [approval], redaction }));
    expect(await commit(writes)).toEqual({ roundTrips: 1, refused: [] });
  });
});

describe('a commit takes few round trips', () => {
  // Three: the attempt, the units one by one, the end. What the proxy reads in parts may be answered in between.
  const FEW = 8;

  it('with any number of artifacts', async () => {
    const { commit } = await countingStore();
    const artifact = (n: number) => ({
      hash: `h${n}`,
      mediaType: null,
      size: 5,
      createdAtMs: AT_MS,
      content: Buffer.from('bytes'),
    });
    const { roundTrips, refused } = await commit(
      each((n) => startExecution(`exec_${n}`, { offloaded: [artifact(n)], keys: [key(n)] })),
    );
    expect(refused).toEqual([]);
    expect(roundTrips).toBeLessThan(FEW);
  });

  it('however many keys are refused', async () => {
    const { commit } = await countingStore();
    await commit(each((n) => startExecution(`exec_${n}`, { keys: [key(n)] })));
    const others = each((n) => startExecution(`other_${n}`, { keys: [key(n % 2 === 0 ? n : MANY + n)] }));
    const { roundTrips, refused } = await commit(others);
    expect(refused).toEqual(Array.from({ length: MANY / 2 }, () => 'key'));
    expect(roundTrips).toBeLessThan(FEW);
    const same = await commit(each((n) => startExecution(`same_${n}`, { keys: [key(-1)] })));
    expect(same.refused).toHaveLength(MANY - 1);
    expect(same.roundTrips).toBeLessThan(FEW);
  });

  it('however many turns are refused', async () => {
    const { commit } = await countingStore();
    await commit(each((n) => startExecution(`exec_${n}`, { threads: [turn(n)] })));
    const { roundTrips, refused } = await commit(
      each((n) => startExecution(`other_${n}`, { threads: [turn(n % 2 === 0 ? n : MANY + n)] })),
    );
    expect(refused).toEqual(Array.from({ length: MANY / 2 }, () => 'thread'));
    expect(roundTrips).toBeLessThan(FEW);
  });
});

describe('reading who has keys takes few round trips', () => {
  it('for any number of keys at once', async () => {
    const { store, counted, commit } = await countingStore();
    await commit(each((n) => startExecution(`exec_${n}`, { keys: [key(n)] })));
    const tenant = store.tenant('default');
    const holder = (name: string) => tenant.keyHolder({ workflowId: 'refund', key: name });
    await Promise.all([holder('order-0'), holder('order-1')]);
    const names = Array.from({ length: MANY + 1 }, (_, n) => `order-${n}`);
    const [holders, roundTrips] = await counted(() => Promise.all(names.map(holder)));
    expect(holders).toEqual([...Array.from({ length: MANY }, (_, n) => `exec_${n}`), null]);
    expect(roundTrips).toBeLessThan(4);
  });
});
