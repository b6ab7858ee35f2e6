import { describe, expect, it } from 'vitest';
import type { Thread, ThreadList, ThreadMessages } from '../../../src/api/operations/threads.ts';
import { type Api, api } from '../support/api.ts';

const said = (content: string, role = 'user') => ({ role, content });

async function append(it: Api, id: string, messages: unknown) {
  return it.post(`/threads/${encodeURIComponent(id)}/messages`, { messages });
}

async function read(it: Api, id: string, query = '') {
  const { status, body } = await it.get(`/threads/${encodeURIComponent(id)}/messages?${query}`);
  return { status, error: body.error, ...(body as unknown as ThreadMessages) };
}

describe('threads', () => {
  it('hold the messages that are appended to them', async () => {
    const it = await api();
    const { status, body } = await append(it, 'Ann & co', [said('Hello'), said('How can I help?', 'assistant')]);
    expect([status, body]).toEqual([201, { thread_id: 'Ann & co', first_sequence: 1, last_sequence: 2, messages: 2 }]);
    expect((await append(it, 'Ann & co', [said('Refund me')])).body).toMatchObject({ first_sequence: 3, messages: 3 });
    const by = { execution_id: null, node_id: null, activation: null, created_at: expect.stringMatching(/Z$/) };
    expect(await read(it, 'Ann & co')).toEqual({
      status: 200,
      error: undefined,
      thread_id: 'Ann & co',
      messages: [
        { sequence: 1, role: 'user', content: 'Hello', ...by },
        { sequence: 2, role: 'assistant', content: 'How can I help?', ...by },
        { sequence: 3, role: 'user', content: 'Refund me', ...by },
      ],
      next_cursor: null,
    });
    expect((await it.get('/threads/Ann%20%26%20co')).body as unknown as Thread).toEqual({
      thread_id: 'Ann & co',
      messages: 3,
      bytes: expect.any(Number),
      last_sequence: 3,
      summary: null,
      summarised_sequence: 0,
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
  });

  it('keep calls of tools and their results, and parts of a message', async () => {
    const it = await api();
    const call = { id: 'c1', type: 'function', function: { name: 'lookup', arguments: '{"order":7}' } };
    const messages = [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image_url', image_url: { url: 'https://a.example/b.png' } },
        ],
      },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', content: '{"paid":true}', tool_call_id: 'c1', name: 'lookup' },
    ];
    expect((await append(it, 'ann', messages)).status).toBe(201);
    expect((await read(it, 'ann')).messages).toMatchObject(messages);
  });

  it('are read page by page from both ends, and listed, the last changed first', async () => {
    const it = await api();
    await append(
      it,
      'ann',
      ['a', 'b', 'c', 'd', 'e'].map((text) => said(text)),
    );
    const texts = ({ messages }: ThreadMessages) => messages.map(({ content }) => content);
    const first = await read(it, 'ann', 'limit=2');
    expect([texts(first), first.next_cursor]).toEqual([['a', 'b'], 2]);
    const last = await read(it, 'ann', 'limit=2&order=desc');
    expect([texts(last), last.next_cursor]).toEqual([['e', 'd'], 4]);
    expect(texts(await read(it, 'ann', `limit=9&order=desc&cursor=${last.next_cursor}`))).toEqual(['c', 'b', 'a']);
    it.clock.advance(5);
    await append(it, 'bob', [said('x')]);
    const threads = (await it.get('/threads?limit=1')).body as unknown as ThreadList;
    expect(threads.threads.map(({ thread_id }) => thread_id)).toEqual(['bob']);
    const rest = (await it.get(`/threads?cursor=${threads.next_cursor}`)).body as unknown as ThreadList;
    expect([rest.threads.map(({ thread_id }) => thread_id), rest.next_cursor]).toEqual([['ann'], null]);
  });

  it('are deleted with all that was said, which the audit log records without it', async () => {
    const it = await api();
    await append(it, 'ann', [said('my secret'), said('kept', 'assistant')]);
    expect(await it.call('DELETE', '/threads/ann')).toMatchObject({ status: 200, body: { thread_id: 'ann', deleted: 2 } });
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/messages'],
      ['DELETE', ''],
    ] as const)
      expect(await it.call(method, `/threads/ann${path}`)).toMatchObject({
        status: 404,
        body: { error: 'not found: thread ann' },
      });
    const audit = JSON.stringify((await it.get('/audit?event_type=thread_deleted')).body);
    expect(audit).toContain('"ann"');
    expect(JSON.stringify((await it.get('/audit?limit=100')).body)).not.toContain('secret');
  });

  it.each([
    [{ messages: [] }, 'messages'],
    [{ messages: [{ role: 'system', content: 'x' }] }, 'role'],
    [{ messages: [{ role: 'user' }] }, 'content'],
    [{ messages: [{ role: 'user', content: null }] }, 'messages[0].content must be a text, or a list'],
    [{ messages: [{ role: 'user', content: 5 }] }, 'messages[0].content must be a text, or a list'],
    [{ messages: [said('fine'), { role: 'tool', content: 'x' }] }, 'messages[1].tool_call_id is missing'],
    [{ messages: [said('a\u0000b')] }, 'messages[0] has a NUL character'],
    [{ messages: [said('\ud800')] }, 'messages[0].content has text that is not valid Unicode'],
    [{ messages: [said('x'.repeat(256 * 1024))] }, 'messages[0] is larger than 256 KiB'],
    [{ messages: Array.from({ length: 101 }, () => said('x')) }, 'messages'],
    [{}, 'messages'],
  ])('refuse what is no message: %j', async (body, problem) => {
    const it = await api();
    const reply = await it.post('/threads/ann/messages', body);
    expect([reply.status, String(reply.body.error)]).toEqual([400, expect.stringContaining(problem)]);
    expect((await it.get('/threads/ann')).status).toBe(404);
  });

  it('have ids without a slash and control characters', async () => {
    const it = await api();
    for (const id of ['a/b', 'a\nb', 'x'.repeat(257)]) {
      expect((await append(it, id, [said('x')])).status).toBe(400);
      expect((await it.get(`/threads/${encodeURIComponent(id)}`)).status).toBe(404);
    }
    expect((await it.get('/threads?cursor=x')).status).toBe(400);
    expect((await read(it, 'ann', 'order=sideways')).status).toBe(400);
  });

  it('are named at the start of an execution', async () => {
    const it = await api();
    const talk = { kind: { type: 'model', model: 'gpt-4o', prompt: '{{ state.said }}' } };
    const document = { workflow_id: 'chat', version: '1', nodes: { talk }, edges: [] };
    expect((await it.post('/workflows', { ir: document })).status).toBe(201);
    const start = (thread: unknown) => it.post('/executions', { workflow_id: 'chat', delay: '2d', thread });
    const { body } = await start('ann');
    expect((await it.get(`/executions/${String(body.execution_id)}`)).body.thread).toBe('ann');
    const { executions } = (await it.get('/executions?label=jamjet.thread:ann')).body as { executions: unknown[] };
    expect(executions).toMatchObject([{ execution_id: body.execution_id, thread: 'ann' }]);
    expect((await start(null)).status).toBe(201);
    for (const thread of ['', 'a/b', 7, ['a'], 'x'.repeat(257), 'a\u0000b', '\ud800'])
      expect([thread, (await start(thread)).status]).toEqual([thread, 400]);
    const forged = { workflow_id: 'chat', labels: { 'jamjet.thread': 'ann' } };
    expect((await it.post('/executions', forged)).status).toBe(400);
  });
});
