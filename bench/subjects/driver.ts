import type { JsonObject } from '../../machines/json.ts';
import type { Runtime } from '../../src/runtime/types/runtime.ts';
import type { HttpConnection, Reply } from './http-connection.ts';
import { CALLER } from './in-process.ts';
import { expectStatus } from './over-http.ts';

export interface ClaimedItem {
  readonly id: string;
  readonly fence: number;
}

/** What the mixed workloads ask of a runtime, in process or over HTTP. */
export interface Driver {
  start(workflowId: string, input: JsonObject): Promise<string>;
  /** Waits until the execution has ended or waits for something outside; returns its status. */
  settled(id: string): Promise<string>;
  approve(id: string): Promise<void>;
  wake(id: string): Promise<void>;
  claim(): Promise<ClaimedItem>;
  complete(item: ClaimedItem, output: JsonObject): Promise<unknown>;
}

const WAIT_MS = 30_000;
const QUEUE = 'python_tool';
const WORKER = 'worker-1';

export function inProcessDriver(runtime: Runtime): Driver {
  return {
    start: async (workflowId, input) => (await runtime.start(CALLER, { workflowId, input })).executionId,
    settled: async (id) => (await runtime.settled(CALLER.tenantId, id, WAIT_MS)).status,
    approve: async (id) => {
      await runtime.approve(CALLER, id, { decision: 'approved' });
    },
    wake: async (id) => {
      await runtime.sendEvent(CALLER, id, { key: 'wake', payload: {} });
    },
    claim: async () => {
      const [item] = await runtime.claim(CALLER, { workerId: WORKER, queueTypes: [QUEUE], waitMs: WAIT_MS });
      if (item === undefined) throw new Error('no work item');
      return { id: item.id, fence: item.leaseFence };
    },
    complete: ({ id, fence }, output) => runtime.complete(CALLER, id, { output, leaseFence: fence }),
  };
}

export function httpDriver(lane: HttpConnection): Driver {
  const post = async (path: string, body: JsonObject, status = 200): Promise<Reply> => {
    const reply = await lane.send('POST', path, JSON.stringify(body));
    expectStatus(reply, status);
    return reply;
  };
  return {
    start: async (workflowId, input) => {
      const { body } = await post('/executions', { workflow_id: workflowId, input }, 201);
      return (JSON.parse(body) as { readonly execution_id: string }).execution_id;
    },
    settled: async (id) => {
      const reply = await lane.send('GET', `/executions/${id}?wait_ms=${WAIT_MS}`);
      expectStatus(reply, 200);
      return (JSON.parse(reply.body) as { readonly status: string }).status;
    },
    approve: async (id) => {
      await post(`/executions/${id}/approve`, { decision: 'approved' });
    },
    wake: async (id) => {
      await post(`/executions/${id}/events`, { correlation_key: 'wake', payload: {} });
    },
    claim: async () => {
      const { body } = await post('/work-items/claim', { worker_id: WORKER, queue_types: [QUEUE], wait_ms: WAIT_MS });
      const { work_item: item } = JSON.parse(body) as {
        readonly work_item?: { readonly id: string; readonly lease_fence: number };
      };
      if (item === undefined) throw new Error('no work item');
      return { id: item.id, fence: item.lease_fence };
    },
    complete: async ({ id, fence }, output) => {
      await post(`/work-items/${id}/complete`, { output, lease_fence: fence });
    },
  };
}
