import { chmodSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connect } from '../../../src/cli/connection/connect.ts';
import { readSavedToken, saveToken, tokenFile } from '../../../src/cli/connection/saved-token.ts';
import { inFolder } from '../terminal-session.ts';

describe('the saved token', () => {
  it('is stored beside the database, readable by its owner only', () =>
    inFolder(async (folder) => {
      const file = tokenFile('.jamjet/runtime.db', folder);
      expect(file).toBe(join(folder, '.jamjet', 'token'));
      await saveToken(file, 'jj_first');
      chmodSync(file, 0o644);
      await saveToken(file, 'jj_second');
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(readdirSync(join(folder, '.jamjet'))).toEqual(['token']);
      expect(await readSavedToken('.jamjet/runtime.db', folder)).toEqual({ token: 'jj_second', file });
    }));

  it('may be missing, but must be a token', () =>
    inFolder(async (folder) => {
      expect(await readSavedToken('runtime.db', folder)).toBeNull();
      writeFileSync(join(folder, 'token'), 'two words\n');
      await expect(readSavedToken('runtime.db', folder)).rejects.toThrow(/is not a token/);
    }));

  it('is sent to loopback addresses only', () =>
    inFolder(async (folder) => {
      const file = tokenFile('.jamjet/runtime.db', folder);
      await saveToken(file, 'jj_local');
      const context = { env: {}, cwd: folder };
      expect((await connect(undefined, context)).tokenSource).toBe(file);
      expect((await connect('http://127.0.0.1:7701', context)).tokenSource).toBe(file);
      expect((await connect('http://[::1]:7700', context)).tokenSource).toBe(file);
      expect((await connect('https://jamjet.example.com', context)).tokenSource).toBeNull();
      expect((await connect('http://localhost.example.com', context)).tokenSource).toBeNull();
      expect((await connect('http://127.0.0.1.example.com', context)).tokenSource).toBeNull();
    }));

  it('is overridden by JAMJET_TOKEN', () =>
    inFolder(async (folder) => {
      await saveToken(tokenFile('.jamjet/runtime.db', folder), 'jj_local');
      const env = { JAMJET_TOKEN: 'jj_mine' };
      expect((await connect('https://jamjet.example.com', { env, cwd: folder })).tokenSource).toBe('JAMJET_TOKEN');
    }));
});
