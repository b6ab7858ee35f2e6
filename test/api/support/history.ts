import type { JsonObject } from '../../../machines/json.ts';
import type { Api } from './api.ts';

/** Two nodes for an external worker, then a human approval. */
export const THREE_NODES = {
  workflow_id: 'three',
  version: '1.0.0',
  labels: { team: 'blue' },
  nodes: {
    first: { kind: { type: 'python_fn', module: 'm', function: 'f', output_key: 'first' } },
    second: { kind: { type: 'python_fn', module: 'm', function: 'f', output_key: 'second' } },
    review: { kind: { type: 'human_approval', description: 'Release {{ state.second.n }}?' } },
  },
  edges: [
    { from: 'first', to: 'second' },
    { from: 'second', to: 'review' },
    { from: 'review', to: 'end' },
  ],
};

export async function work({ post }: Api, output: unknown): Promise<string> {
  const { work_item: item } = (await post('/work-items/claim', { worker_id: 'w', queue_types: ['python_tool'] })).body;
  await post(`/work-items/${item?.id}/complete`, { output, lease_fence: item?.lease_fence });
  return item?.execution_id ?? 'none';
}

export async function sequenceOf({ get }: Api, id: string): Promise<number> {
  return (await get(`/executions/${id}`)).body.sequence;
}

/** The body of a reply as any JSON. */
export async function json(reply: Promise<{ readonly status: number; readonly body: unknown }>): Promise<[number, JsonObject]> {
  const { status, body } = await reply;
  return [status, body as JsonObject];
}
