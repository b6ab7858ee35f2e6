import { VERSION } from '../../config.ts';
import { DatabaseHealth } from '../database-health.ts';
import { Health } from '../schemas/health.ts';
import type { Api, Services } from '../services.ts';

export function healthRoutes(app: Api, services: Services): void {
  const database = new DatabaseHealth(services);
  app.get(
    '/health',
    {
      config: { access: 'open' },
      schema: { summary: 'Is the server up?', tags: ['Health'], operationId: 'getHealth', response: { 200: Health } },
    },
    async () => {
      const ailment = await database.ailment();
      const { clockAheadMs, corruptExecutions } = services.runtime;
      return {
        status: 'ok' as const,
        version: VERSION,
        ...(ailment === null ? {} : { database: ailment }),
        ...(clockAheadMs === 0 ? {} : { clock_ahead_ms: clockAheadMs }),
        ...(corruptExecutions === 0 ? {} : { corrupt_executions: corruptExecutions }),
      };
    },
  );
}
