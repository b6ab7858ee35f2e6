import { execFile } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startServer as startHere } from '../support/in-process-server.ts';
import { ir } from '../support/ir.ts';
import { program } from '../support/program.ts';
import { replayAll } from '../support/replay-all.ts';
import { startServer, temporaryFolder } from '../support/server.ts';

const WORK = { type: 'tool', tool_ref: 'work' };
const REVIEWED = ir('reviewed', { work: WORK, review: { type: 'human_approval', description: 'Go on?' }, more: WORK }, [
  ['work', 'review'],
  ['review', 'more'],
  ['more', 'end'],
]);
const CLIENTS = 4;

/** Runs `jamjet` in a process of its own; rejects if it fails. */
async function jamjet(args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, [resolve('bin/jamjet.js'), ...args])).stdout;
}

describe('a backup that is killed', () => {
  const begin = async (folder: string, name: string) => {
    const script = new URL('./backup-child.mjs', import.meta.url).pathname;
    const writing = program(process.execPath, [script, join(folder, name)], folder);
    await writing.shows(/writing/);
    return writing;
  };

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('by %s leaves nothing', async (signal) => {
    const folder = temporaryFolder(onTestFinished);
    const writing = await begin(folder, 'backup.db');
    writing.kill(signal);
    expect(await writing.ended).toEqual({ code: null, signal });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('by SIGKILL leaves what the next one in the folder removes, which leaves those alone that go on', async () => {
    const folder = temporaryFolder(onTestFinished);
    const going = await begin(folder, 'going.db');
    const of = (name: string): string[] => readdirSync(folder).filter((file) => file.startsWith(name));
    const ofGoing = of('going.db');
    const killed = await begin(folder, 'killed.db');
    const [left] = of('killed.db');
    killed.kill('SIGKILL');
    await killed.ended;
    expect(of('killed.db')).toContain(left);
    writeFileSync(join(folder, 'notes.partial-1'), 'of another program');
    const next = await begin(folder, 'next.db');
    expect(of('killed.db')).toEqual([]);
    expect(of('going.db')).toEqual(ofGoing);
    for (const writing of [going, next]) {
      writing.kill('SIGTERM');
      await writing.ended;
    }
    expect(readdirSync(folder)).toEqual(['notes.partial-1']);
  });
});

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
    const { client, kill } = await startHere({ folder, tools });
    await client.execution(known.execution_id, { waitMs: 30_000 });
    await client.approve(known.execution_id, { decision: 'approved' });
    expect(await client.execution(known.execution_id, { waitMs: 30_000 })).toMatchObject({ status: 'completed' });
    await kill();
    expect((await replayAll(database)).differing).toEqual([]);
    expect(await jamjet(['db', 'check', '--all', '--db', database])).toContain('all valid');
  });
});
