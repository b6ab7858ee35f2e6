import { VERSION } from '../../config.ts';
import { DatabaseHealth, databaseStatus } from '../database-health.ts';
import { Health } from '../schemas/health.ts';
import type { Api, Services } from '../services.ts';
import { timestamp } from '../time.ts';

export function healthRoutes(app: Api, services: Services): void {
  const database = new DatabaseHealth(services);
  app.get(
    '/health',
    {
      config: { access: 'open' },
      schema: { summary: 'Get the state of the server', tags: ['Health'], operationId: 'getHealth', response: { 200: Health } },
    },
    async () => {
      const fault = await database.errorCode();
      const { clockAheadMs, corruptExecutions } = services.runtime;
      const { running, waiting, oldestWaitingSinceMs: oldestMs } = services.runtime.inProcess();
      return {
        status: 'ok' as const,
        version: VERSION,
        ...(fault === null ? {} : { database: databaseStatus(fault), database_code: fault }),
        ...(oldestMs === null ? {} : { in_process: { running, waiting, oldest_waiting_since: timestamp(oldestMs) } }),
        ...(clockAheadMs === 0 ? {} : { clock_ahead_ms: clockAheadMs }),
        ...(corruptExecutions === 0 ? {} : { corrupt_executions: corruptExecutions }),
      };
    },
  );
}
