import type { Row, Table } from '../../figures.ts';
import { LOAD_COLUMNS, loadRow, runLoad } from '../../load/load.ts';
import { complete, connectionAt, openConnections, register, start } from '../../subjects/over-http.ts';
import { serve } from '../../subjects/server.ts';
import { linear, WAITING } from '../../subjects/workflows.ts';
import { CONCURRENCIES } from './in-process.ts';

const WARM_UP_MS = 800;
const MEASURE_MS = 2_000;

/** Measures a server in its own process; this process is the client. CPU times are those of the server. */
export async function overHttp(folder: string): Promise<readonly Table[]> {
  const server = await serve(folder, 'http.db');
  const { url, token, pid } = server;
  try {
    await register(url, token, [linear(3), WAITING]);
    const completed: Row[] = [];
    const starts: Row[] = [];
    for (const concurrency of CONCURRENCIES) {
      const lanes = await openConnections(url, token, concurrency);
      const once = (lane: number) => complete(connectionAt(lanes, lane));
      const onceStarted = (lane: number) => start(connectionAt(lanes, lane), 'waiting');
      const times = { warmUpMs: WARM_UP_MS, measureMs: MEASURE_MS };
      const half = { warmUpMs: WARM_UP_MS / 2, measureMs: MEASURE_MS / 2 };
      completed.push(loadRow(await runLoad({ ...times, concurrency, once, pid }), 'completed'));
      starts.push(loadRow(await runLoad({ ...half, concurrency, once: onceStarted, pid }), 'starts'));
      for (const lane of lanes) lane.close();
    }
    return [
      { title: 'Over HTTP, auth on: three-node executions, start → completed', columns: LOAD_COLUMNS, rows: completed },
      { title: 'Over HTTP, auth on: durable starts', columns: LOAD_COLUMNS, rows: starts },
    ];
  } finally {
    await server.stop();
  }
}
