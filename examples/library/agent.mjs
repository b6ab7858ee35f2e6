// @ts-check
// An agent in your own program: it looks up an order, and pays back what it has cost once a person has approved that. A script answers in the place
// of the model, so it runs offline; with `models: { providers: { openai: { apiKey } } }` a model does.
import { join } from 'node:path';
import { createRuntime, defineTool, openSqlite } from 'jamjet-runtime';
import { readModelScript } from 'jamjet-runtime/yaml';

const tools = {
  find_order: defineTool((/** @type {{ number: string }} */ { number }) => ({ number, item: 'desk lamp', euros: 49 })),
  refund: defineTool((/** @type {{ number: string, euros: number }} */ { number, euros }, { idempotencyKey }) => {
    // The key is the same for every attempt at one call, so that the bank can detect a repeated request.
    return { paid: euros, reference: `${number}/${idempotencyKey}` };
  }),
};

const text = { type: 'string' };
const shop = {
  workflow_id: 'shop',
  version: '1',
  policy: { require_approval_for: ['refund'] },
  nodes: {
    helper: {
      kind: {
        type: 'agent',
        model_ref: 'gpt-4o-mini',
        system_prompt: 'You help customers of a lamp shop.',
        prompt: '{{ state.question }}',
        tools: [
          { name: 'find_order', description: 'Finds an order.', parameters: { type: 'object', properties: { number: text } } },
          {
            name: 'refund',
            description: 'Pays back what an order has cost.',
            parameters: { type: 'object', properties: { number: text, euros: { type: 'number' } } },
          },
        ],
        output_key: 'answer',
      },
    },
  },
  edges: [],
};

const store = await openSqlite({ path: '.jamjet/agent.db' });
const runtime = await createRuntime({
  store,
  tools,
  models: { script: await readModelScript(join(import.meta.dirname, 'answers.json')) },
});
const manager = runtime.as({ tenantId: 'default', actorId: 'manager', actorType: 'human' });
try {
  await runtime.register(shop);
  const { executionId } = await runtime.start({
    workflowId: 'shop',
    input: { question: 'The lamp of order A-17 arrived broken.' },
  });

  // The text of the model, while it writes it.
  const ended = new AbortController();
  const streaming = (async () => {
    for await (const { text: part } of runtime.deltas(executionId, ended.signal)) process.stdout.write(part);
  })();

  let tokens = 0;
  for await (const { type, nodeId, data } of runtime.subscribe(executionId)) {
    if (type === 'node_completed') tokens += Number(data.input_tokens ?? 0) + Number(data.output_tokens ?? 0);
    if (type === 'tool_call_completed') console.log(`\n[${data.tool} was called]`);
    if (type === 'tool_approval_required') {
      console.log(`\n[${data.tool_name} needs an approval]`);
      await manager.approve(executionId, { decision: 'approved', nodeId: nodeId ?? '' });
    }
  }
  ended.abort();
  await streaming;

  const { status, state } = await runtime.settled(executionId, 10_000);
  console.log(`\n${status} with ${tokens} tokens: ${state.answer}`);
} finally {
  await runtime.close();
  await store.close();
}
