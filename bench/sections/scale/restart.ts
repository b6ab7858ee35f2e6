import { join } from 'node:path';
import type { JsonObject } from '../../../machines/json.ts';
import { cpu, type Row, type Table, wall } from '../../figures.ts';
import { cpuMsOf } from '../../machine.ts';
import { HttpConnection } from '../../subjects/http-connection.ts';
import { CALLER, many, withRuntime } from '../../subjects/in-process.ts';
import { copyDatabase } from '../../subjects/recorder.ts';
import { serve } from '../../subjects/server.ts';
import { HANGING, TIMED, WAITING } from '../../subjects/workflows.ts';

const EXECUTIONS = 100_000;
const LANES = 512;
/** Live executions of each kind: waiting for an event, with a timer, and with in-process work that the end of the process interrupts. */
const KINDS: Readonly<Record<string, JsonObject>> = { waiting: WAITING, timed: TIMED, hanging: HANGING };

/** Measures the start of the shipped server on a database of a server that was killed, until it answers. */
export async function restart(folder: string): Promise<readonly Table[]> {
  const rows: Row[] = [];
  for (const [name, document] of Object.entries(KINDS)) {
    await leaveBehind(folder, name, document);
    const startedMs = performance.now();
    const server = await serve(folder, `${name}-left.db`);
    const lane = await HttpConnection.open(server.url, server.token);
    const { status } = await lane.send('GET', '/health');
    const tookMs = performance.now() - startedMs;
    const cpuMs = cpuMsOf(server.pid);
    process.kill(server.pid, 'SIGKILL');
    lane.close();
    await server.stop();
    if (status !== 200) throw new Error(`/health answers ${status}`);
    rows.push({ label: name, values: [tookMs, cpuMs] });
  }
  const title = `Restart with ${EXECUTIONS.toLocaleString('en-US')} live executions, until /health answers`;
  return [{ title, columns: [wall('took ms', 0), cpu('CPU ms', 0)], rows }];
}

/** What is in the database while the executions live, as after a kill. */
async function leaveBehind(folder: string, name: string, document: JsonObject): Promise<void> {
  const options = { concurrency: EXECUTIONS, maxPending: 2 * EXECUTIONS };
  await withRuntime(
    folder,
    name,
    async ({ runtime, path }) => {
      await runtime.register(CALLER, document);
      await many(EXECUTIONS, LANES, (n) => runtime.start(CALLER, { workflowId: name, input: { n } }));
      copyDatabase(path, join(folder, `${name}-left.db`));
    },
    options,
  );
}
