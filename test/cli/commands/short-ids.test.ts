import { describe, expect, it } from 'vitest';
import { DECLINED, DOUBLING, PARENT, REVIEWED, TOOLS } from '../flows.ts';
import { runtimeServer } from '../runtime-server.ts';

const server = runtimeServer(TOOLS);

async function started(flow: typeof DOUBLING): Promise<string> {
  const { client } = server();
  const { workflow_id } = await client.registerWorkflow(flow);
  const { execution_id } = await client.start({ workflow_id, input: { n: 4 } });
  await client.execution(execution_id, { waitMs: 5_000 });
  return execution_id;
}

describe('a command that takes an execution', () => {
  it.each(['inspect', 'events', 'replay', 'approvals'])('%s accepts the end of the id', async (verb) => {
    const id = await started(REVIEWED);
    const { code, stdout } = await server().jamjet(`${verb} ${id.slice(-8)} --json`).ended;
    expect(code).toBe(0);
    expect(stdout).toBe((await server().jamjet(`${verb} ${id} --json`).ended).stdout);
  });

  it('decides, cancels and retries by the end of the id', async () => {
    const reviewed = await started(REVIEWED);
    expect((await server().jamjet(`approve ${reviewed.slice(-8)}`).ended).stdout).toBe(`✓ approved  review  ${reviewed}\n`);
    const other = await started(REVIEWED);
    expect((await server().jamjet(`cancel …${other.slice(-6)}`.replace('…', '')).ended).stdout).toBe(`✓ ${other} cancelled\n`);
    const failed = await started(DECLINED);
    expect((await server().jamjet(`retry ${failed.slice(-8)}`).ended).stdout).toBe(`✓ retried  ${failed}: charge\n`);
  });

  it('takes the execution started last for `last`, but not its children', async () => {
    await server().client.registerWorkflow(REVIEWED);
    const id = await started(PARENT);
    const { stdout } = await server().jamjet('inspect last --json').ended;
    expect(JSON.parse(stdout)).toMatchObject({ execution_id: id });
    expect((await server().jamjet('diff last@1 last --json').ended).code).toBe(0);
    expect((await server().jamjet('visualize last').ended).stdout).toContain('flowchart');
  });

  it('does not take digits in the middle of an id', async () => {
    const id = await started(REVIEWED);
    const { code, stderr } = await server().jamjet(`cancel ${id.slice(15, 30)}`).ended;
    expect([code, stderr.split('\n')[0]]).toEqual([1, `error: not found: execution ${id.slice(15, 30)}`]);
    expect(stderr).toContain(`  ${id}  `);
    expect((await server().client.execution(id)).status).toBe('paused');
  });

  it('lists the candidates of an ambiguous part', async () => {
    const [first, second] = [await started(DOUBLING), await started(DOUBLING)];
    const { code, stdout, stderr } = await server().jamjet(`inspect ${first.slice(0, 12)}`).ended;
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`error: several executions match ${first.slice(0, 12)}\n`);
    expect(stderr).toContain(`  ${second}  doubling  completed`);
  });
});

describe('jamjet ls', () => {
  it('shows the ends of ids on a narrow terminal', async () => {
    const id = await started(DOUBLING);
    const { stdout } = await server().jamjet('ls --limit 1', { tty: true }).ended;
    expect(stdout).toContain(id.slice(-8));
    expect(stdout).not.toContain(id);
  });

  it('groups failures by error', async () => {
    const id = await started(DECLINED);
    const { code, stdout } = await server().jamjet('ls --status failed --group-by error').ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^COUNT +NEWEST +EXAMPLE +ERROR\n +\\d+ +.*${id}  charge: card declined\n$`));
    expect(JSON.parse((await server().jamjet('ls -s failed --group-by error --json').ended).stdout).groups).toMatchObject([
      { error: 'charge: card declined', example_execution_id: id },
    ]);
    expect((await server().jamjet('ls --group-by error --workflow none').ended).stderr).toBe('no executions\n');
    const counts = await server().jamjet('ls --group-by status --status failed').ended;
    expect(counts.stdout).toMatch(/^COUNT {2}STATUS\n +(\d+) {2}failed\n +\1 {2}in all\n$/);
    expect((await server().jamjet('ls --group-by status --workflow none').ended).stderr).toBe('no executions\n');
    expect((await server().jamjet('ls --group-by color').ended).code).toBe(2);
    expect((await server().jamjet('ls --group-by error --all').ended).code).toBe(2);
  });
});

describe('jamjet fork --node', () => {
  it('continues from where the node was about to run', async () => {
    const id = await started(REVIEWED);
    await server().client.approve(id, { decision: 'approved' });
    await server().client.execution(id, { waitMs: 5_000 });
    const forked = async (line: string) => {
      const { code, stdout, stderr } = await server().jamjet(`fork ${id.slice(-8)} ${line} --json`).ended;
      if (code !== 0) throw new Error(stderr);
      return JSON.parse(stdout) as { readonly execution_id: string; readonly forked_from: { readonly sequence: number } };
    };
    const double = await forked('--node double --keep-decisions --patch {"n":10}');
    const { status, state } = await server().client.execution(double.execution_id, { waitMs: 5_000 });
    expect([status, state]).toMatchObject(['completed', { n: 20, review: { approved: true } }]);
    const review = await forked('--node review --visit 1');
    expect((await server().client.approvals(review.execution_id)).pending).toMatchObject([{ node_id: 'review' }]);
    for (const [line, code] of [
      ['--node review --at 2', 2],
      ['', 2],
      ['--at 2 --visit 1', 2],
      ['--node review --visit 7', 2],
      ['--node nowhere', 1],
    ] as const)
      expect((await server().jamjet(`fork ${id} ${line}`.trim()).ended).code, line).toBe(code);
    expect((await server().jamjet(`fork ${id} --node duoble`).ended).stderr).toContain('did you mean "double"?');
  });
});
