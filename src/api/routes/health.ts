import { VERSION } from '../../server/config.ts';
import { DatabaseHealth, databaseStatus } from '../database-health.ts';
import { readiness, readinessChecks } from '../readiness.ts';
import { Health, Liveness, Readiness, Unreadiness } from '../schemas/health.ts';
import type { Api, Services } from '../services.ts';
import { timestamp } from '../time.ts';

/** Probes ask every few seconds. */
const NOT_READY_RETRY_AFTER_SECS = 2;

export function healthRoutes(app: Api, services: Services): void {
  const database = new DatabaseHealth(services);
  app.get(
    '/health',
    {
      config: { access: 'open' },
      schema: { summary: 'Get the state of the server', tags: ['Health'], operationId: 'getHealth', response: { 200: Health } },
    },
    async () => {
      const { fault } = await database.state();
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
  app.get(
    '/health/live',
    {
      config: { access: 'open' },
      schema: {
        summary: 'Tell whether the process answers',
        description: 'Always 200, whatever the state of the database: restart a process that does not answer.',
        tags: ['Health'],
        operationId: 'getLiveness',
        response: { 200: Liveness },
      },
    },
    () => ({ status: 'ok' as const }),
  );
  app.get(
    '/health/ready',
    {
      config: { access: 'open' },
      schema: {
        summary: 'Tell whether requests may be sent to this server',
        description:
          '503 while the database cannot be read or written, has the schema of another release, too much work waits, or the server is stopping.',
        tags: ['Health'],
        operationId: 'getReadiness',
        response: { 200: Readiness, 503: Unreadiness },
      },
    },
    async (_request, reply) => {
      const { fault, schema } = await database.state();
      const { isOverloaded } = services.runtime;
      const isStopping = services.isStopping();
      const body = readiness(readinessChecks({ databaseFault: fault, schema, isOverloaded, isStopping }));
      if (body.status === 'ready') return body;
      return reply.code(503).header('retry-after', String(NOT_READY_RETRY_AFTER_SECS)).send(body);
    },
  );
}
