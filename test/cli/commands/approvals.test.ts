import { describe, expect, it } from 'vitest';
import type { ApprovalList } from '../../../src/client/index.ts';
import { REVIEWED, TOOLS } from '../flows.ts';
import { runtimeServer } from '../runtime-server.ts';

const server = runtimeServer(TOOLS);

async function started(): Promise<string> {
  const { client } = server();
  const { workflow_id } = await client.registerWorkflow(REVIEWED);
  return (await client.start({ workflow_id, input: { n: 4 } })).execution_id;
}

async function decideAll(): Promise<void> {
  const { client } = server();
  for (const { execution_id, node_id } of (await client.approvalInbox()).approvals)
    await client.approve(execution_id, { decision: 'rejected', node_id });
}

describe('jamjet approvals', () => {
  it('lists what waits in all executions, and what was decided', async () => {
    await decideAll();
    expect((await server().jamjet('approvals').ended).stderr).toBe('no pending approvals\n');
    const ids = [await started(), await started()];
    const { code, stdout, stderr } = await server().jamjet('approvals').ended;
    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.trim())).toEqual([
      expect.stringMatching(/^# {2}ID +WORKFLOW +NODE +WAITS +LEFT +MESSAGE$/),
      expect.stringMatching(new RegExp(`^1  ${ids[0]}  reviewed  review +\\S.* +–  Double it\\?$`)),
      expect.stringMatching(new RegExp(`^2  ${ids[1]}  reviewed  review +\\S.* +–  Double it\\?$`)),
      '',
    ]);
    expect(stderr).toContain('decide with: jamjet approve ID');
    const shown = (await server().jamjet('approvals', { tty: true }).ended).stdout;
    expect(shown).toMatch(new RegExp(`1  ${ids[0]?.slice(-8)}  reviewed`));
    const list = JSON.parse((await server().jamjet('approvals --json --limit 1').ended).stdout) as ApprovalList;
    expect(list).toMatchObject({ approvals: [{ execution_id: ids[0], state_for_review: { n: 4 } }] });
    expect((await server().jamjet(`approvals --cursor ${list.next_cursor} --json`).ended).stdout).toContain(ids[1]);
    await server().jamjet(['approve', ids[0]?.slice(-8) ?? '', '-c', 'fine']).ended;
    expect((await server().jamjet('approvals --status decided').ended).stdout).toMatch(
      new RegExp(`\n${ids[0]}  reviewed  review .* approved  ann  fine\n`),
    );
    expect((await server().jamjet('approvals --workflow none').ended).stderr).toBe('no pending approvals\n');
  });

  it('takes decisions by number and by id while it watches', async () => {
    await decideAll();
    const [first, second] = [await started(), await started()];
    const inbox = server().jamjet('approvals --watch', { tty: true });
    await inbox.shows('? Decide');
    expect(inbox.screen).toContain(first.slice(-8));
    inbox.type('7 y');
    await inbox.shows('nothing in the list is 7');
    inbox.type('1');
    await inbox.shows('Double it?');
    inbox.type('1 y fine');
    await inbox.shows(`✓ approved  1  ${first.slice(-8)}  review`);
    const third = await started();
    await inbox.shows(`◆ 3  ${third.slice(-8)}  reviewed review  Double it?`);
    inbox.type(`${second.slice(-8)} no too much`);
    await inbox.shows(`✗ rejected  2  ${second.slice(-8)}  review`);
    await server().client.cancel(third);
    await inbox.shows(`3  ${third.slice(-8)}  no longer waits`);
    inbox.type('q');
    expect((await inbox.ended).code).toBe(0);
    const { decided } = await server().client.approvals(second);
    expect(decided).toMatchObject([{ status: 'rejected', comment: 'too much' }]);
  });

  it('prints the list again when it changes, without a terminal', async () => {
    await decideAll();
    const watch = server().jamjet('approvals --watch --json');
    await watch.shows('{"approvals":[]}');
    const id = await started();
    await watch.shows(id);
    watch.signals.emit('SIGINT');
    expect((await watch.ended).code).toBe(130);
  });

  it('refuses options of the list together with an id', async () => {
    const id = await started();
    expect((await server().jamjet(`approvals ${id} --watch`).ended).code).toBe(2);
    expect((await server().jamjet('approvals --watch --status decided').ended).code).toBe(2);
    expect((await server().jamjet('approvals --status open').ended).code).toBe(2);
  });
});
