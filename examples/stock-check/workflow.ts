// The same workflow as workflow.yaml, in TypeScript.
import { Type, workflow } from 'jamjet-runtime';
import { order } from './tools.mjs';

const State = Type.Partial(
  Type.Object({
    article: Type.String(),
    stock: Type.Unsafe<{ left: number; minimum: number }>({ type: 'object' }),
    order: Type.Unsafe<{ article: string; pieces: number; reference: string }>({ type: 'object' }),
  }),
);

export const stockCheck = workflow({
  id: 'stock-check',
  version: '1.0.0',
  description: 'Order what is running out',
  state: State,
  start: 'count',
  mcpServers: { warehouse: { command: 'node', args: ['examples/stock-check/server.mjs'] } },
  tools: { order },
  nodes: {
    count: {
      type: 'mcp_tool',
      server: 'warehouse',
      tool: 'count',
      input: { article: '{{ state.article }}' },
      outputKey: 'stock',
      timeout: '30s',
      retryPolicy: 'io_default',
      next: 'enough',
    },
    enough: {
      type: 'condition',
      branches: [{ if: 'state.stock.left >= state.stock.minimum', next: 'end' }],
      default: 'order',
    },
    order: {
      type: 'tool',
      tool: 'order',
      input: { article: '{{ state.article }}', pieces: '{{ state.stock.minimum }}' },
      outputKey: 'order',
    },
  },
});
