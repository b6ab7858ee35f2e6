import { hash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TOOLS } from '../flows.ts';
import { runtimeServer } from '../runtime-server.ts';

const server = runtimeServer(TOOLS);
const BYTES = Buffer.from([0, 1, 2, 255, 254, 10]);

describe('jamjet artifacts', () => {
  it('stores a file with the media type of its suffix, and returns the same bytes', async () => {
    const { folder, jamjet } = server();
    writeFileSync(join(folder, 'picture.PNG'), BYTES);
    const key = hash('sha256', BYTES, 'hex');
    const put = await jamjet('artifacts put picture.PNG').ended;
    expect(put).toEqual({ code: 0, stdout: `${key}\n`, stderr: '6 bytes, image/png\n' });
    const got = await jamjet(`artifacts get ${key} --file copy.png`).ended;
    expect(got).toEqual({ code: 0, stdout: '', stderr: '6 bytes, image/png\n' });
    expect(readFileSync(join(folder, 'copy.png'))).toEqual(BYTES);
  });

  it('reads standard input, and writes to a pipe', async () => {
    const { jamjet } = server();
    const put = await jamjet('artifacts put - --media-type text/x-note --json', { stdin: 'ä note' }).ended;
    const stored = JSON.parse(put.stdout);
    expect(stored).toEqual({ hash: hash('sha256', 'ä note', 'hex'), size: 7, media_type: 'text/x-note' });
    expect((await jamjet(`artifacts get ${stored.hash}`).ended).stdout).toBe('ä note');
    const about = await jamjet(`artifacts get ${stored.hash} --json`).ended;
    expect(JSON.parse(about.stdout)).toEqual({ ...stored, file: null });
  });

  it('prints text to a terminal with control characters escaped, and rejects binary data', async () => {
    const { client, jamjet } = server();
    const text = await client.artifacts.put(Buffer.from('red \u001b[31m'), 'text/plain');
    expect((await jamjet(`artifacts get ${text.hash}`, { tty: true }).ended).stdout).toBe('red \\u001b[31m\n');
    const bytes = await client.artifacts.put(BYTES, null);
    const refused = await jamjet(`artifacts get ${bytes.hash}`, { tty: true }).ended;
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^error: binary data is not printed to a terminal\nWrite it to a file: add --file PATH\.\n/);
  });

  it('reports invalid arguments', async () => {
    const { folder, jamjet } = server();
    writeFileSync(join(folder, 'huge'), Buffer.alloc(8 * 1024 * 1024 + 1));
    const failures = [
      ['artifacts put missing', 2, 'error: missing: no such file\n'],
      ['artifacts put huge', 1, 'error: huge is too large: 8388609 bytes, at most 8388608 are allowed\n'],
      ['artifacts get none', 1, 'error: not found: artifact none\n'],
      ['artifacts put huge --media-type nonsense', 1, /^error: huge is too large/],
    ] as const;
    for (const [line, code, stderr] of failures) {
      const ended = await jamjet(line).ended;
      expect([line, ended.code, ended.stdout]).toEqual([line, code, '']);
      expect(ended.stderr).toMatch(stderr);
    }
  });
});
