import { RuntimeError } from '../../runtime/errors.ts';
import { checkMetricsAccess } from '../metrics/access.ts';
import type { Api, Services } from '../services.ts';

const TEXT = {
  description: 'The metrics in the text format of Prometheus.',
  content: { 'text/plain': { schema: { type: 'string' } } },
};

/** Metrics for Prometheus, unless a port of their own serves them (`JAMJET_METRICS_PORT`). */
export function metricsRoutes(app: Api, { metrics, config, streams }: Services): void {
  if (metrics !== null) metrics.streams = () => streams.count;
  app.get(
    '/metrics',
    {
      config: { access: 'open' },
      schema: {
        summary: 'Get metrics for Prometheus',
        description:
          'Needs the token of `JAMJET_METRICS_TOKEN`. Without one it is served only on a loopback address, or on the port of `JAMJET_METRICS_PORT`.',
        tags: ['Health'],
        operationId: 'getMetrics',
        response: { 200: TEXT },
      },
    },
    async (request, reply) => {
      if (metrics === null || config.metrics.port !== null) throw new RuntimeError('not_found', 'GET /metrics not found');
      checkMetricsAccess(config, request.headers);
      const { contentType, text } = await metrics.scrape();
      void reply.header('content-type', contentType);
      return text;
    },
  );
}
