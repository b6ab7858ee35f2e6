import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Cluster } from '../cluster/cluster.ts';
import type { History } from '../history.ts';
import type { Load } from '../load/load.ts';

/** Maximum number of executions to replay over HTTP; `db check` replays all of them. */
const MAX_REPLAYED = 20;

/** Runs the program's own checks on the database: every log replays to its snapshot, and the audit chains are valid. */
export async function checkByCommands(database: string, folder: string, executions: number, history: History): Promise<void> {
  const check = await jamjet(['db', 'check', '--all', '--json', '--db', database], folder);
  const report = JSON.parse(check) as { readonly ok?: boolean; readonly executions?: number };
  if (report.ok !== true || report.executions !== executions)
    history.addViolation('every log replays to its snapshot', `of ${executions} executions: ${check.slice(0, 2_000)}`);
  const verified = await jamjet(['audit', 'verify', '--json', '--db', database], folder);
  if ((JSON.parse(verified) as { readonly ok?: boolean }).ok !== true)
    history.addViolation('the audit log verifies', verified.slice(0, 2_000));
}

/** Checks that every server lists all executions as they are stored. */
export async function checkLists(cluster: Cluster, history: History): Promise<void> {
  const stored = await cluster.query('SELECT id, status FROM executions ORDER BY id DESC');
  const expected = stored.map(({ id, status }) => `${id} ${status}`);
  for (const member of cluster.members) {
    const listed: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const reply = await fetch(`${member.url}/executions?limit=500${page}`, {
        headers: { authorization: `Bearer ${member.token}` },
      });
      const body = (await reply.json()) as {
        readonly executions: readonly { readonly id: string; readonly status: string }[];
        readonly next_cursor: string | null;
      };
      listed.push(...body.executions.map(({ id, status }) => `${id} ${status}`));
      cursor = body.next_cursor;
    }
    const wrong = expected.findIndex((line, index) => listed[index] !== line);
    if (wrong !== -1 || listed.length !== expected.length)
      history.addViolation(
        'every server lists the stored executions',
        `${member.name}: ${listed[wrong]} instead of ${expected[wrong]}`,
      );
  }
}

/** Has servers replay some of the executions, and verify the audit log. */
export async function checkReplays(cluster: Cluster, load: Load, history: History): Promise<void> {
  const client = load.client('auditor', 1);
  for (const { id } of load.executions.filter((tracked) => tracked.id !== null).slice(-MAX_REPLAYED)) {
    const path = `/executions/${id}/replay`;
    const { body } = await client.askUntilKnown({ method: 'GET', path, what: 'replay', about: id ?? '' });
    if (body.matches !== true)
      history.addViolation('every log replays to its snapshot', `${path}: ${JSON.stringify(body)}`, [id ?? '']);
  }
  for (const member of cluster.members) {
    const reply = await fetch(`${member.url}/audit/verify`, { headers: { authorization: `Bearer ${member.token}` } });
    const body = (await reply.json()) as { readonly ok?: boolean };
    if (body.ok !== true) history.addViolation('the audit log verifies', `${member.name}: ${JSON.stringify(body)}`);
  }
}

/** Returns the output, also if the command exits with 1 because of a finding. */
async function jamjet(args: readonly string[], folder: string): Promise<string> {
  const env = { PATH: process.env.PATH, HOME: folder, NO_COLOR: '1' };
  const options = { cwd: folder, env, maxBuffer: 1 << 26 };
  try {
    return (await promisify(execFile)(process.execPath, [resolve('bin/jamjet.js'), ...args], options)).stdout;
  } catch (error) {
    if (error instanceof Error && 'stdout' in error && String(error.stdout).startsWith('{')) return String(error.stdout);
    throw error;
  }
}
