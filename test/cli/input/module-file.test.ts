import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MODULE } from '../module.ts';
import { inFolder, jamjet } from '../terminal-session.ts';

describe('a workflow in a module', () => {
  it('runs, is validated and drawn like one in YAML', () =>
    inFolder(async (cwd) => {
      writeFileSync(join(cwd, 'twice.ts'), MODULE);
      const ran = await jamjet(['run', 'twice.ts', '--input', '{"n":4}', '--embedded', '--json'], { cwd });
      expect(JSON.parse(ran.stdout)).toMatchObject({ final_state: { state: { n: 8 } } });
      expect(await jamjet(['validate', 'twice.ts'], { cwd })).toMatchObject({ code: 0, stdout: '✓ twice.ts is valid\n' });
      expect(await jamjet(['visualize', 'twice.ts'], { cwd })).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('double'),
      });
    }));

  it('says in one line, with the place, why it cannot be loaded', () =>
    inFolder(async (cwd) => {
      writeFileSync(join(cwd, 'broken.ts'), `${MODULE}const oops: number = ;\n`);
      writeFileSync(join(cwd, 'throws.ts'), 'const limit: number = (null as any).limit;\nexport { limit };\n');
      const broken = await jamjet(['run', 'broken.ts'], { cwd });
      expect(broken).toMatchObject({ code: 1, stderr: 'error: broken.ts:7:22: Unexpected token\n' });
      const throws = await jamjet(['validate', 'throws.ts'], { cwd });
      expect(throws).toMatchObject({
        code: 1,
        stderr: "error: throws.ts:1: TypeError: Cannot read properties of null (reading 'limit')\n",
      });
    }));
});
