import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connect, explainApiError } from '../../../src/cli/connection/connect.ts';
import { readSavedUrl, saveUrl, urlFile } from '../../../src/cli/connection/saved-url.ts';
import { inFolder, jamjet } from '../terminal-session.ts';

const DATABASE = '.jamjet/runtime.db';

describe('the saved URL', () => {
  it('leads commands in the same folder to the server, and is removed when it stops', () =>
    inFolder(async (folder) => {
      const remove = await saveUrl(urlFile(DATABASE, folder), 'http://0.0.0.0:8217');
      const { url, explicit, urlSource } = await connect(undefined, { env: {}, cwd: folder });
      expect({ url, explicit, urlSource }).toEqual({
        url: 'http://localhost:8217',
        explicit: false,
        urlSource: join(folder, '.jamjet', 'url'),
      });
      await remove();
      expect((await connect(undefined, { env: {}, cwd: folder })).url).toBe('http://localhost:7700');
    }));

  it('yields to --runtime and JAMJET_URL', () =>
    inFolder(async (folder) => {
      await saveUrl(urlFile(DATABASE, folder), 'http://127.0.0.1:8217');
      expect(await connect('http://127.0.0.1:1', { env: {}, cwd: folder })).toMatchObject({ explicit: true, urlSource: null });
      const env = { JAMJET_URL: 'http://127.0.0.1:2' };
      expect(await connect(undefined, { env, cwd: folder })).toMatchObject({ url: 'http://127.0.0.1:2', urlSource: null });
    }));

  it('is neither saved nor read if it is not of this machine', () =>
    inFolder(async (folder) => {
      const file = urlFile(DATABASE, folder);
      await saveUrl(file, 'http://192.168.7.7:7700');
      expect(existsSync(file)).toBe(false);
      mkdirSync(join(folder, '.jamjet'));
      for (const text of ['http://evil.example', 'file:///etc/passwd', 'http://', '', '7700', '\u0000'.repeat(9)]) {
        writeFileSync(file, text);
        expect(await readSavedUrl(DATABASE, folder)).toBeNull();
      }
    }));

  it('of another server that started meanwhile is kept', () =>
    inFolder(async (folder) => {
      const file = urlFile(DATABASE, folder);
      const remove = await saveUrl(file, 'http://127.0.0.1:8217');
      await saveUrl(file, 'http://127.0.0.1:8218');
      await remove();
      expect(readFileSync(file, 'utf8')).toBe('http://127.0.0.1:8218\n');
    }));

  it('of a server that was killed is named by the error', () =>
    inFolder(async (folder) => {
      await saveUrl(urlFile(DATABASE, folder), 'http://127.0.0.1:9');
      const { code, stderr } = await jamjet(['cancel', 'exec_1'], { cwd: folder });
      expect(code).toBe(1);
      expect(stderr).toContain('cannot reach a server at http://127.0.0.1:9');
      expect(stderr).toContain('.jamjet/url says that one listens there, but it has stopped.');
      const connection = await connect(undefined, { env: {}, cwd: folder });
      expect(explainApiError(new TypeError('other'), connection)).toBeInstanceOf(TypeError);
    }));
});
