import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { api } from './api.ts';

async function document(): Promise<Record<string, never>> {
  const { app } = await api();
  return (await app.inject('/openapi.json')).json();
}

describe('the OpenAPI document', () => {
  it('has nothing that redocly finds fault with', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'jamjet-openapi-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'openapi.json');
    writeFileSync(file, JSON.stringify(await document(), null, 2));
    const lint = promisify(execFile)(process.execPath, [
      resolve('node_modules/@redocly/cli/bin/cli.js'),
      'lint',
      file,
      '--config',
      resolve('redocly.yaml'),
      '--max-problems',
      '20',
    ]);
    const { stdout, stderr } = await lint.catch((failure: { stdout: string; stderr: string }) => failure);
    expect(stdout + stderr).toMatch(/Your API description is valid/);
  });
});
