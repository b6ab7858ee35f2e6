import { describe, expect, it } from 'vitest';
import { starterOf } from '../../../../src/runtime/engine/loading/starter.ts';
import { readFirst } from '../../../../src/runtime/log/read-log.ts';
import { CALLER, eventually, openTestRuntime, type TestRuntime } from '../../../support/runtimes.ts';

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
});
