import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REVIEWED } from '../flows.ts';
import { inFolder, jamjet, TerminalSession } from '../terminal-session.ts';

/** A default port without a server. */
const env = { JAMJET_PORT: '65533' };

describe('after an embedded run, without a server', () => {
  function afterRun(work: (folder: string, id: string) => Promise<void>): Promise<void> {
    return inFolder(async (folder) => {
      writeFileSync(join(folder, 'reviewed.json'), JSON.stringify(REVIEWED));
      writeFileSync(join(folder, 'tools.mjs'), 'export const double = ({ n }) => ({ n: n * 2 });\n');
      const run = await jamjet(['run', 'reviewed.json', '--embedded', '--tools', 'tools.mjs', '-i', '{"n": 1}'], { cwd: folder });
      expect(run.code).toBe(3);
      await work(folder, /exec_[0-9a-f]{32}/.exec(run.stdout)?.[0] ?? '');
    });
  }

  it('ls, inspect, events and approvals read its database and print a note', () =>
    afterRun(async (folder, id) => {
      for (const line of ['ls', `inspect ${id}`, `events ${id}`, `approvals ${id}`]) {
        const { code, stdout, stderr } = await jamjet(line.split(' '), { cwd: folder, env });
        expect({ line, code, stderr }).toEqual({
          line,
          code: 0,
          stderr: 'no server at http://localhost:65533: reading from .jamjet/runtime.db\n',
        });
        expect(stdout).toMatch(/review/);
      }
      const resumed = new TerminalSession(['run', '--embedded', '--tools', 'tools.mjs', '--resume', id], {
        cwd: folder,
        tty: true,
      });
      await resumed.shows('Approve review?');
      resumed.type('y');
      expect((await resumed.ended).code).toBe(0);
    }));

  it('a decision is recorded in its database, and what follows runs when the execution is resumed', () =>
    afterRun(async (folder, id) => {
      const here = { cwd: folder, env: { ...env, USER: 'ann' } };
      const listed = await jamjet(['approvals'], here);
      expect(listed.stdout).toContain(`1  ${id}  reviewed  review`);
      const approved = await jamjet(['approve', id.slice(-8), '--comment', 'fine'], here);
      expect(approved).toEqual({
        code: 0,
        stdout: `✓ approved  review  ${id}\n`,
        stderr: [
          'no server at http://localhost:65533: changing .jamjet/runtime.db',
          'work that follows begins with `jamjet run FILE --resume ID` or `jamjet dev`',
          '',
        ].join('\n'),
      });
      const { status, steps_executed } = JSON.parse((await jamjet(['inspect', 'last', '--json'], here)).stdout) as {
        status: string;
        steps_executed: number;
      };
      expect({ status, steps_executed }).toEqual({ status: 'running', steps_executed: 1 });
      expect(JSON.parse((await jamjet(['approvals', id, '--json'], here)).stdout).decided).toMatchObject([
        { actor_id: 'ann', comment: 'fine' },
      ]);
      const resumed = await jamjet(['run', '--embedded', '--tools', 'tools.mjs', '--resume', id.slice(-8)], { cwd: folder });
      expect(resumed.code).toBe(0);
      expect(resumed.stdout).toContain('"n": 2');
      const again = await jamjet(['approve', id], here);
      expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('approvals can no longer be decided')]);
    }));

  it('events, pauses, cancels and forks are recorded, too', () =>
    afterRun(async (folder, id) => {
      const here = { cwd: folder, env };
      expect((await jamjet(['event', 'last', 'paid', '--data', '{"sum": 1}'], here)).stdout).toMatch(/paid/);
      expect((await jamjet(['pause', id], here)).stdout).toBe(`◆ ${id} paused\n`);
      expect((await jamjet(['resume', id], here)).code).toBe(0);
      const fork = await jamjet(['fork', id, '--node', 'review', '--json'], here);
      expect(fork.code).toBe(0);
      expect((await jamjet(['approvals'], here)).stdout.split('\n').length).toBe(4);
      expect((await jamjet(['cancel', id, '--reason', 'twice'], here)).stdout).toBe(`✓ ${id} cancelled\n`);
      expect((await jamjet(['retry', id], here)).stderr).toMatch(/^no server.*\nerror: /s);
    }));

  it('its process is named while another one has it open', () =>
    afterRun(async (folder, id) => {
      const run = new TerminalSession(['run', '--embedded', '--tools', 'tools.mjs', '--resume', id], { cwd: folder, tty: true });
      await run.shows('Approve review?');
      const { code, stderr } = await jamjet(['approve', id], { cwd: folder, env });
      expect(code).toBe(1);
      expect(stderr).toMatch(
        new RegExp(`error: the database .*/runtime.db is in use by runtime runtime-\\w+ \\(process ${process.pid}, started `),
      );
      run.signals.emit('SIGINT');
      await run.ended;
    }));

  it('commands that follow or act on many executions require a server', () =>
    afterRun(async (folder, id) => {
      for (const line of [`cancel --all --yes`, `retry ${id} --follow`, `approvals --watch`, `events ${id} --follow`]) {
        const { code, stderr } = await jamjet(line.split(' '), { cwd: folder, env });
        expect({ line, code }).toEqual({ line, code: 1 });
        expect(stderr).toMatch(/^error: cannot reach a server at http:\/\/localhost:65533 .*\nStart one with `jamjet dev`/);
      }
    }));
});
