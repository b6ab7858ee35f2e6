import type { Row, Table } from '../../figures.ts';
import { LOAD_COLUMNS, loadRow, runLoad } from '../../load/load.ts';
import { many } from '../../subjects/in-process.ts';
import { complete, connectionAt, openConnections, register, start } from '../../subjects/over-http.ts';
import { serve } from '../../subjects/server.ts';
import { linear, WAITING } from '../../subjects/workflows.ts';
import { CONCURRENCIES } from './in-process.ts';

/** Executions before the measurement, 64 at once: compiles the server's code, so that the first rows are as fast as they can be. */
const WARM_UP = 2_500;
const WARM_UP_MS = 150;
const MEASURE_MS = 1_200;

/** Measures a server in its own process; this process is the client. CPU times are those of the server. */
export async function overHttp(folder: string): Promise<readonly Table[]> {
  const server = await serve(folder, 'http.db');
  const { url, token, pid } = server;
  try {
    await register(url, token, [linear(3), WAITING]);
    const completed: Row[] = [];
    const starts: Row[] = [];
    const lanes = await openConnections(url, token, Math.max(...CONCURRENCIES));
    const once = (lane: number) => complete(connectionAt(lanes, lane));
    const onceStarted = (lane: number) => start(connectionAt(lanes, lane), 'waiting');
    await many(WARM_UP, 64, (_, lane) => once(lane));
    await many(WARM_UP, 64, (_, lane) => onceStarted(lane));
    for (const concurrency of CONCURRENCIES) {
      const options = { concurrency, warmUpMs: WARM_UP_MS, pid };
      completed.push(loadRow(await runLoad({ ...options, measureMs: MEASURE_MS, once }), 'completed'));
      starts.push(loadRow(await runLoad({ ...options, measureMs: MEASURE_MS / 2, once: onceStarted }), 'starts'));
    }
    for (const lane of lanes) lane.close();
    return [
      { title: 'Over HTTP, auth on: three-node executions, start → completed', columns: LOAD_COLUMNS, rows: completed },
      { title: 'Over HTTP, auth on: durable starts', columns: LOAD_COLUMNS, rows: starts },
    ];
  } finally {
    await server.stop();
  }
}
