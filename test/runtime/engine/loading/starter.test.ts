import { describe, expect, it } from 'vitest';
import { starterOf } from '../../../../src/runtime/engine/loading/starter.ts';
import { readFirst } from '../../../../src/runtime/log/read-log.ts';
import { DamagedEntryError } from '../../../../store/port/errors.ts';
import { CALLER, eventually, openTestRuntime, type TestRuntime } from '../../../support/runtimes.ts';
import { withOverrides } from '../../../support/stores.ts';

const asking = { workflow_id: 'asking', version: '1', nodes: { ask: { kind: { type: 'human_approval' } } }, edges: [] } as never;
const parent = {
  workflow_id: 'parent',
  version: '1',
  nodes: { sub: { kind: { type: 'subgraph', workflow_ref: 'asking' } } },
  edges: [],
} as never;

async function starterIn({ store }: TestRuntime, id: string) {
  const row = await store.execution(id);
  if (row === null) throw new Error(`no execution ${id}`);
  return starterOf(store, row, await readFirst(store, id));
}

describe('the starter of an execution, as the store has it', () => {
  it('is the actor of its own start; of a child, that of its parent', async () => {
    const bench = await openTestRuntime();
    await bench.runtime.register(CALLER, asking);
    const ann = { ...CALLER, actorId: 'ann' };
    const { workflowId } = await bench.runtime.register(CALLER, parent);
    const { executionId } = await bench.runtime.start(ann, { workflowId, input: {} });
    const children = async () =>
      (await bench.runtime.executions('default', { limit: 9 })).executions.filter((row) => row.executionId !== executionId);
    await eventually(async () => (await children()).length === 1);
    const [child] = await children();
    for (const id of [executionId, child?.executionId ?? ''])
      expect(await starterIn(bench, id)).toEqual({ actorId: 'ann', actorType: 'human' });
  });

  it('of a fork is the actor that forked it', async () => {
    const bench = await openTestRuntime();
    const id = await bench.run(asking);
    await bench.settled(id);
    const forked = await bench.runtime.fork({ ...CALLER, actorId: 'bob' }, id, { atSequence: (await bench.log(id)).length });
    expect(await starterIn(bench, id)).toMatchObject({ actorId: 'tester' });
    expect(await starterIn(bench, forked.executionId ?? '')).toMatchObject({ actorId: 'bob' });
  });

  it('of a child cannot be read when the log of its parent is damaged, which the error names', async () => {
    const bench = await openTestRuntime();
    await bench.runtime.register(CALLER, asking);
    const id = await bench.run(parent);
    const childOf = async () =>
      (await bench.runtime.executions('default', { limit: 9, parentId: id })).executions[0]?.executionId;
    await eventually(async () => (await childOf()) !== undefined);
    const row = await bench.store.execution((await childOf()) ?? '');
    if (row === null) throw new Error('there is no child');
    const first = await readFirst(bench.store, row.id);
    const damaged = withOverrides(bench.store, { events: () => Promise.reject(new DamagedEntryError('event 1 cannot be read')) });
    await expect(starterOf(damaged, row, first)).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining(`who started execution ${id} cannot be read`),
    });
  });
});
