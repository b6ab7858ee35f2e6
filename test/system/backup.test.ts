import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ir } from '../support/ir.ts';
import { replayAll } from '../support/replay-all.ts';
import { startServer, temporaryFolder } from '../support/server.ts';

const WORK = { type: 'tool', tool_ref: 'work' };
const REVIEWED = ir('reviewed', { work: WORK, review: { type: 'human_approval', description: 'Go on?' }, more: WORK }, [
  ['work', 'review'],
  ['review', 'more'],
  ['more', 'end'],
]);
const CLIENTS = 16;

/** Runs `jamjet` in a process of its own; rejects if it fails. */
async function jamjet(args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, [resolve('bin/jamjet.js'), ...args])).stdout;
}

describe('a backup of a server at work', () => {
  it('is one moment of its database, from which a new server continues', async () => {
    const folder = temporaryFolder(onTestFinished);
    const tools = join(folder, 'tools.mjs');
    writeFileSync(tools, 'export const work = () => ({ done: true });\n');
    const server = await startServer({ folder, tools });
    await server.client.registerWorkflow(REVIEWED);
    const started: string[] = [];
    let isOver = false;
    const keepStarting = async (): Promise<void> => {
      while (!isOver) started.push((await server.client.start({ workflow_id: 'reviewed' })).execution_id);
    };
    const load = Promise.all(Array.from({ length: CLIENTS }, keepStarting));
    const known = await server.client.start({ workflow_id: 'reviewed' });
    const backup = join(folder, 'backup.db');
    const database = join(folder, 'runtime.db');
    const report = JSON.parse(await jamjet(['backup', backup, '--db', database, '--json']));
    isOver = true;
    await load;
    expect(report.check).toMatchObject({ ok: true, differing: [] });
    expect(report.check.executions).toBeGreaterThan(0);
    expect(report.check.executions).toBeLessThanOrEqual(started.length + 1);
    expect(await server.kill()).toMatchObject({ signal: 'SIGKILL' });

    await jamjet(['restore', backup, '--db', database]);
    const restored = await startServer({ folder, tools });
    const { client } = restored;
    await client.execution(known.execution_id, { waitMs: 30_000 });
    await client.approve(known.execution_id, { decision: 'approved' });
    expect(await client.execution(known.execution_id, { waitMs: 30_000 })).toMatchObject({ status: 'completed' });
    await restored.terminate();
    expect((await replayAll(database)).differing).toEqual([]);
    expect(await jamjet(['db', 'check', '--all', '--db', database])).toContain('all valid');
  });
});
