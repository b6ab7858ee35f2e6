import { describe, expect, it } from 'vitest';
import { api, ECHO, EXTERNAL } from '../support/api.ts';

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const headers = { traceparent: TRACEPARENT };

describe('the header traceparent', () => {
  it('makes an execution part of the trace of the caller, and reaches the worker', async () => {
    const it = await api();
    await it.post('/workflows', { ir: EXTERNAL });
    const { body } = await it.post('/executions', { workflow_id: 'external' }, { headers });
    const [started] = await it.log(body.execution_id);
    expect(started?.data.traceparent).toBe(TRACEPARENT);
    const claimed = await it.post('/work-items/claim', { worker_id: 'w', queue_types: ['python_tool'] }, { as: 'operator' });
    expect(claimed.body.work_item.traceparent).toBe(TRACEPARENT);
  });

  it('is ignored when it is not valid', async () => {
    const it = await api();
    await it.post('/workflows', { ir: ECHO });
    const bad = ['00-0-0-01', `${TRACEPARENT}-more`, 'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'];
    for (const traceparent of bad) {
      const { status, body } = await it.post('/executions', { workflow_id: 'echo' }, { headers: { traceparent } });
      expect(status).toBe(201);
      expect((await it.log(body.execution_id))[0]?.data).not.toHaveProperty('traceparent');
    }
  });

  it('does not make a request with the same idempotency key another one', async () => {
    const it = await api();
    await it.post('/workflows', { ir: ECHO });
    const start = (more: Record<string, string>) =>
      it.post('/executions', { workflow_id: 'echo' }, { headers: { 'idempotency-key': 'k1', ...more } });
    const first = await start(headers);
    const second = await start({});
    expect(second.body.execution_id).toBe(first.body.execution_id);
  });
});
