// @ts-check
// A durable run inside your own program. `node publish.mjs` begins it; `node publish.mjs approve`, in a minute or in a month, ends it.
import { createRuntime, defineTool, openSqlite } from 'jamjet-runtime';

const tools = {
  draft: defineTool((/** @type {{ topic: string }} */ { topic }, { attempt }) => {
    if (attempt === 0) throw new Error('no idea yet');
    return { text: `All there is to know about ${topic}` };
  }),
  publish: defineTool(async (/** @type {{ text: string }} */ { text }, { idempotencyKey, signal }) => {
    signal.throwIfAborted();
    // The same key on every attempt: the other side can tell a repeat from a second article.
    return { published: { words: text.split(' ').length, receipt: idempotencyKey } };
  }),
};

const article = {
  workflow_id: 'article',
  version: '1',
  nodes: [
    { id: 'draft', kind: { type: 'tool', tool_ref: 'draft', input_mapping: { topic: 'state.topic' } }, retry: { delay_ms: 50 } },
    { id: 'review', kind: { type: 'human_approval', description: 'Publish “{{ state.text }}”?' } },
    { id: 'publish', kind: { type: 'tool', tool_ref: 'publish', input_mapping: { text: 'state.text' } } },
  ],
  edges: [
    { from: 'draft', to: 'review' },
    { from: 'review', to: 'publish' },
    { from: 'publish', to: 'end' },
  ],
};

const editor = /** @type {const} */ ({ tenantId: 'default', actorId: 'editor', actorType: 'human' });
const store = await openSqlite({ path: '.jamjet/library.db', nowMs: Date.now });
const runtime = await createRuntime({ store, tools });
try {
  await runtime.register(editor, article);
  // Started once, however often this program runs: the key stands for the execution.
  const { executionId } = await runtime.start(editor, {
    workflowId: 'article',
    input: { topic: 'durability' },
    idempotencyKey: 'article-about-durability',
  });
  let run = await runtime.settled(editor.tenantId, executionId, 10_000);
  if (run.status === 'paused' && process.argv[2] === 'approve') {
    await runtime.approve(editor, executionId, { decision: 'approved', comment: 'good' });
    run = await runtime.settled(editor.tenantId, executionId, 10_000);
  }
  for await (const { sequence, type, nodeId } of runtime.events(editor.tenantId, executionId)) {
    console.log(`${String(sequence).padStart(2)}  ${type}${nodeId === null ? '' : ` (${nodeId})`}`);
  }
  console.log(run.status, run.state);
} finally {
  await runtime.close();
  await store.close();
}
