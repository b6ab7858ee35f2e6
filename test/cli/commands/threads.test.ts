import { describe, expect, it } from 'vitest';
import { TOOLS } from '../flows.ts';
import { runtimeServer } from '../runtime-server.ts';

const server = runtimeServer(TOOLS);

describe('jamjet threads', () => {
  it('adds, lists, shows, prints and deletes', async () => {
    const { jamjet } = server();
    expect((await jamjet('threads list').ended).stderr).toBe('no threads\n');
    expect(await jamjet(['threads', 'add', 'ann', 'Hello', 'Where is\nmy parcel?']).ended).toEqual({
      code: 0,
      stdout: '✓ added  2 messages to ann  it has 2 now\n',
      stderr: '',
    });
    await jamjet(['threads', 'add', 'ann', '--role', 'assistant', 'On its way']).ended;
    expect((await jamjet('threads list').ended).stdout).toMatch(/^THREAD +MESSAGES +KB +CREATED +CHANGED\nann +3 +1 /);
    expect((await jamjet('threads show ann').ended).stdout).toMatch(/\nann +3 /);
    const { stdout, stderr } = await jamjet('threads messages ann -n 2').ended;
    expect(stdout).toMatch(/^user {2}#2 .*\n {2}Where is\n {2}my parcel\?\nassistant {2}#3 .*\n {2}On its way\n$/);
    expect(stderr).toContain('there are earlier messages');
    const all = JSON.parse((await jamjet('threads messages ann --all --json').ended).stdout);
    expect(all.messages.map(({ content }: { content: string }) => content)).toEqual([
      'Hello',
      'Where is\nmy parcel?',
      'On its way',
    ]);
    expect((await jamjet('threads delete ann').ended).stdout).toBe('✓ deleted  thread ann with 3 messages\n');
  });

  it('is continued by `jamjet run --thread`', async () => {
    const { jamjet, client } = server();
    const chat = { type: 'model', model: 'gpt-4o', prompt: '{{ state.said }}' };
    await client.registerWorkflow({ workflow_id: 'chat', version: '1', nodes: { talk: { kind: chat } }, edges: [] });
    const started = await jamjet('run chat --thread ann --delay 2d --no-follow --json').ended;
    const { execution_id: id } = JSON.parse(started.stdout) as { execution_id: string };
    expect((await client.execution(id)).thread).toBe('ann');
    expect((await jamjet(`inspect ${id}`).ended).stdout).toMatch(/\nthread +ann\n/);
    const failures = [
      [`run --resume ${id} --thread ann`, 2, '--thread is for a new execution and cannot be combined with --resume'],
      ['run chat --thread a/b', 1, 'the id of a thread is a text of 1 to 256 characters'],
    ] as const;
    for (const [line, code, stderr] of failures) {
      const ended = await jamjet(line).ended;
      expect([line, ended.code]).toEqual([line, code]);
      expect(ended.stderr).toContain(stderr);
    }
  });

  it('reports invalid arguments', async () => {
    const { jamjet } = server();
    const failures = [
      ['threads add ann hello --role system', 2, '--role "system" is not one of user, assistant'],
      ['threads list -n 0', 2, '--limit "0" is not a whole number from 1 to 1000'],
      ['threads messages stranger', 1, 'not found: thread stranger'],
      ['threads show stranger', 1, 'not found: thread stranger'],
      ['threads delete stranger', 1, 'not found: thread stranger'],
    ] as const;
    for (const [line, code, stderr] of failures) {
      const ended = await jamjet(line).ended;
      expect([line, ended.code, ended.stdout]).toEqual([line, code, '']);
      expect(ended.stderr).toContain(stderr);
    }
  });
});
