import { describe, expect, it } from 'vitest';
import { flow } from '../flows.ts';
import { runtimeServer } from '../runtime-server.ts';

const server = runtimeServer({});

/** A segment ends after two rounds. */
const POLLING = flow(
  'polling',
  {
    poll: { kind: { type: 'wait', correlation_key: 'tick', output_key: 'tick' } },
    more: { kind: { type: 'condition', branches: [{ condition: 'state.tick.stop', target: 'end' }, { target: 'poll' }] } },
  },
  [['poll', 'more']],
);

/** A chain of three segments, of which the last one waits. */
async function chain(): Promise<readonly [first: string, second: string, third: string]> {
  const { client } = server();
  const { workflow_id } = await client.registerWorkflow({ ...POLLING, continue_as_new: { after_steps: 4, at: 'poll' } });
  const { execution_id: first } = await client.start({ workflow_id, input: {} });
  for (const n of [1, 2, 3, 4]) await client.sendEvent(first, { key: 'tick', payload: { n } });
  const { next_execution_id: second = '', current_execution_id: third = '' } = await client.execution(first);
  return [first, second, third];
}

describe('a chain of segments', () => {
  it('is listed with the number of each segment', async () => {
    const [first, second, third] = await chain();
    const { stdout } = await server().jamjet('ls --limit 3').ended;
    expect(stdout).toMatch(new RegExp(`^${third}  polling 1 +paused +0 .* segment 2$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^${second}  polling 1 +limit_exceeded +4 .* segment 1$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^${first}  polling 1 +limit_exceeded +4 +\\S.*ms$`, 'm'));
  });

  it('is shown at each segment, with its own timeline', async () => {
    const [first, second, third] = await chain();
    const inspect = async (id: string) => (await server().jamjet(`inspect ${id}`).ended).stdout;
    const shown = await Promise.all([first, second, third].map(inspect));
    expect(shown[0]).toMatch(new RegExp(`segment +0\\ncontinued as +${second}\\nnow +${third}\\n`));
    expect(shown[1]).toMatch(new RegExp(`segment +1\\ncontinues +${first}\\ncontinued as +${third}\\n`));
    expect(shown[2]).toMatch(new RegExp(`segment +2\\ncontinues +${second}\\nbegan as +${first}\\n`));
    expect(shown[0]).toContain(`continues as ${second}: 4 steps (continue_as_new after 4)`);
    expect(shown[1]).toContain(`continues as ${third}: 4 steps`);
    expect(shown[2]).not.toContain('continues as');
    expect(shown[2]).toContain(`poll waits for an event: jamjet event ${third} tick`);
  });

  it('is followed from an event of any segment to the end of the last one', async () => {
    const [first, second, third] = await chain();
    const following = server().jamjet(`events ${first} --after 8 --follow --json`);
    await following.shows(third);
    await server().client.sendEvent(first, { key: 'tick', payload: { stop: true } });
    const { code, stdout, stderr } = await following.ended;
    expect(code).toBe(0);
    expect(stderr).toBe(`continues as ${second}\ncontinues as ${third}\n`);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { execution_id: string; sequence: number; type: string });
    const startsOf = (id: string) => events.filter((event) => event.execution_id === id).map(({ sequence }) => sequence)[0];
    expect([first, second, third].map(startsOf)).toEqual([9, 1, 1]);
    expect(events.at(-1)).toMatchObject({ execution_id: third, type: 'workflow_completed' });
  });

  it('is forked from an earlier segment as one of its own', async () => {
    const [first, second] = await chain();
    const forked = await server().jamjet(`fork ${second} --node poll --visit 2 --json`).ended;
    const { execution_id: fork } = JSON.parse(forked.stdout) as { execution_id: string };
    const { stdout } = await server().jamjet(`inspect ${fork}`).ended;
    expect(stdout).toMatch(new RegExp(`forked from +${second} at 6`));
    expect(stdout).not.toMatch(new RegExp(`segment |${first}`));
  });
});
