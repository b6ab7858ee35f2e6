// @ts-check
// A durable execution in your own program. `node publish.mjs` starts it; `node publish.mjs approve`, a minute or a month later, ends it.
import { createRuntime, defineTool, openSqlite } from 'jamjet-runtime';

const tools = {
  draft: defineTool((/** @type {{ topic: string }} */ { topic }, { attempt }) => {
    if (attempt === 0) throw new Error('not available, try again');
    return { text: `An introduction to ${topic}` };
  }),
  publish: defineTool(async (/** @type {{ text: string }} */ { text }, { idempotencyKey, signal }) => {
    signal.throwIfAborted();
    // The key is the same for every attempt, so that the receiver can detect a repeated request.
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

const store = await openSqlite({ path: '.jamjet/library.db' });
const runtime = await createRuntime({ store, tools });
const editor = runtime.as({ tenantId: 'default', actorId: 'editor', actorType: 'human' });
try {
  await runtime.register(article);
  // The idempotency key identifies the execution: it is started once, however often this program runs.
  const { executionId } = await runtime.start({
    workflowId: 'article',
    input: { topic: 'durability' },
    idempotencyKey: 'article-about-durability',
  });
  let run = await runtime.settled(executionId, 10_000);
  if (run.status === 'paused' && process.argv[2] === 'approve') {
    await editor.approve(executionId, { decision: 'approved', comment: 'good' });
    run = await runtime.settled(executionId, 10_000);
  }
  for await (const { sequence, type, nodeId } of runtime.events(executionId)) {
    console.log(`${String(sequence).padStart(2)}  ${type}${nodeId === null ? '' : ` (${nodeId})`}`);
  }
  console.log(run.status, run.state);
} finally {
  await runtime.close();
  await store.close();
}
