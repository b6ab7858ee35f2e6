import type { JsonObject } from '../../../machines/json.ts';
import { cpu, type Row, type Table, wall } from '../../figures.ts';
import { cpuMsOf } from '../../machine.ts';
import { generate } from '../../subjects/generated.ts';
import { HttpConnection } from '../../subjects/http-connection.ts';
import { serve } from '../../subjects/server.ts';
import { HANGING, TIMED, WAITING } from '../../subjects/workflows.ts';

const EXECUTIONS = 100_000;
const COLUMNS = [wall('took ms', 0), cpu('CPU ms', 0)];
/** Live executions: waiting for an event, with a timer, and with in-process work that the end of the process interrupted. */
const KINDS: Readonly<Record<string, JsonObject>> = { waiting: WAITING, timed: TIMED, hanging: HANGING };

/** Measures the start of the shipped server on a database of a server that was killed, until it answers. */
export async function restart(folder: string): Promise<readonly Table[]> {
  return [{ title: title(), columns: COLUMNS, rows: [await restarted(folder, 'a third of each kind', Object.values(KINDS))] }];
}

/** The same for executions that are all of one kind. */
export async function restartByKind(folder: string): Promise<readonly Table[]> {
  const rows: Row[] = [];
  for (const [kind, document] of Object.entries(KINDS)) rows.push(await restarted(folder, kind, [document]));
  return [{ title: title(), columns: COLUMNS, rows }];
}

function title(): string {
  return `Restart with ${EXECUTIONS.toLocaleString('en-US')} live executions, until /health answers`;
}

async function restarted(folder: string, label: string, documents: readonly JsonObject[]): Promise<Row> {
  const name = label.replaceAll(' ', '-');
  const atMs = Date.now();
  await generate(folder, { name, count: EXECUTIONS, documents, vary: (n) => ({ atMs: atMs + n }) });
  const startedMs = performance.now();
  const server = await serve(folder, `${name}.db`);
  const lane = await HttpConnection.open(server.url, server.token);
  const { status } = await lane.send('GET', '/health');
  const tookMs = performance.now() - startedMs;
  const cpuMs = cpuMsOf(server.pid);
  process.kill(server.pid, 'SIGKILL');
  lane.close();
  await server.stop();
  if (status !== 200) throw new Error(`/health answers ${status}`);
  return { label, values: [tookMs, cpuMs] };
}
