// @ts-check
// An external worker. Start a server (`jamjet dev`), then `node worker.mjs`: it registers a workflow, starts it, and does its work.
import { env } from 'node:process';
import { JamjetClient } from 'jamjet-runtime/client';
import { createWorker, defineTool } from 'jamjet-runtime/worker';

const { JAMJET_URL: url = 'http://127.0.0.1:7700', JAMJET_TOKEN: token } = env;
const PRICES = { brush: 4, paint: 12 };

const tools = {
  draft_quote: defineTool(
    async (/** @type {{ lines: { sku: 'brush' | 'paint', quantity: number }[] }} */ { lines }, { progress, log, signal }) => {
      let total = 0;
      for (const [index, { sku, quantity }] of lines.entries()) {
        // The signal is aborted when the lease is lost, e.g. because the execution was cancelled.
        signal.throwIfAborted();
        if (!Object.hasOwn(PRICES, sku)) throw Object.assign(new Error(`no price for ${sku}`), { retryable: false });
        total += PRICES[sku] * quantity;
        progress((index + 1) / lines.length);
      }
      log.info('quote drafted', { lines: lines.length });
      return { total };
    },
  ),
};

const worker = createWorker({ url, token, tools, concurrency: 4, stopOnSignals: ['SIGTERM', 'SIGINT'] });
await worker.connected;

const client = new JamjetClient({ url, token: token ?? null });
await client.registerWorkflow({
  workflow_id: 'quote',
  version: '1',
  nodes: { quote: { kind: { type: 'tool', tool_ref: 'draft_quote', input_mapping: { lines: 'state.lines' } } } },
  edges: [{ from: 'quote', to: 'end' }],
});
const lines = [
  { sku: 'brush', quantity: 3 },
  { sku: 'paint', quantity: 2 },
];
const { execution_id } = await client.start({ workflow_id: 'quote', input: { lines } });
const { status, state } = await client.execution(execution_id, { waitMs: 30_000 });
console.log(status, state);
await worker.stop();
