import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../support/clock.ts';
import { eventually, openTestRuntime } from '../../support/runtimes.ts';

/** Whatever is done takes long: each look at the clock finds it 100 ms later. */
class RacingClock extends FakeClock {
  #looks = 0;

  override nowMs(): number {
    this.#looks += 1;
    return super.nowMs() + this.#looks * 100;
  }
}

const BRANCHES = Array.from({ length: 20 }, (_, i) => `b${i}`);
const WIDE = {
  workflow_id: 'wide',
  version: '1',
  start_node: 'split',
  nodes: {
    split: { kind: { type: 'parallel', branches: BRANCHES } },
    ...Object.fromEntries(BRANCHES.map((id) => [id, { kind: { type: 'tool', tool_ref: 'work' } }])),
    merge: { kind: { type: 'join', wait_for: BRANCHES } },
  },
  edges: BRANCHES.map((from) => ({ from, to: 'merge' })),
};

/** The commits that hold completions: all events of one commit have the same time. */
async function commitsOf(clock: FakeClock): Promise<number> {
  let release = (): void => undefined;
  const all = new Promise<void>((resolve) => {
    release = resolve;
  });
  const bench = await openTestRuntime({ clock, concurrency: BRANCHES.length, tools: { work: () => all } });
  const id = await bench.run(WIDE);
  release();
  await eventually(async () => (await bench.runtime.execution('default', id)).status === 'completed');
  const completed = (await bench.log(id)).filter(({ type, nodeId }) => type === 'node_completed' && nodeId !== 'split');
  return new Set(completed.map(({ createdAtMs }) => createdAtMs)).size;
}

describe('the loop', () => {
  it('commits together what is ready together', async () => {
    expect(await commitsOf(new FakeClock())).toBe(1);
  });

  it('lets others have their turn when steps take long', async () => {
    expect(await commitsOf(new RacingClock())).toBe(BRANCHES.length);
  });
});
