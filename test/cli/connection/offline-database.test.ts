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

  it('commands that change an execution require a server', () =>
    afterRun(async (folder, id) => {
      for (const line of [`approve ${id}`, `cancel ${id}`, `event ${id} key`, `events ${id} --follow`]) {
        const { code, stderr } = await jamjet(line.split(' '), { cwd: folder, env });
        expect({ line, code }).toEqual({ line, code: 1 });
        expect(stderr).toMatch(/^error: cannot reach a server at http:\/\/localhost:65533 .*\nStart one with `jamjet dev`/);
      }
    }));
});
