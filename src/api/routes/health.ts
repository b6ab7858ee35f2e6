import { VERSION } from '../../config.ts';
import { Health } from '../schemas/health.ts';
import type { Api } from '../services.ts';

export function healthRoutes(app: Api): void {
  app.get(
    '/health',
    {
      config: { access: 'open' },
      schema: { summary: 'Is the server up?', tags: ['Health'], operationId: 'getHealth', response: { 200: Health } },
    },
    async () => ({
      status: 'ok' as const,
      version: VERSION,
    }),
  );
}
