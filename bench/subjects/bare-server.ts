// The ceiling of HTTP on this machine: `bare-server.js http|fastify` answers the two requests of an execution, as the API does, from a map in
// memory. Without authentication, validation, log and storage. Prints its URL.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fastify from 'fastify';

interface Execution {
  readonly execution_id: string;
  readonly status: string;
  readonly state: unknown;
  readonly [field: string]: unknown;
}

const executions = new Map<string, Execution>();
let started = 0;

function startExecution(body: { readonly workflow_id: string; readonly input: unknown }): { readonly execution_id: string } {
  started += 1;
  const id = `exec_${started.toString(16).padStart(32, '0')}`;
  const at = new Date().toISOString();
  executions.set(id, {
    execution_id: id,
    workflow_id: body.workflow_id,
    workflow_version: '1',
    status: 'completed',
    state: body.input,
    input: body.input,
    error: null,
    labels: {},
    steps_executed: 3,
    sequence: 14,
    parent_execution_id: null,
    created_at: at,
    updated_at: at,
    completed_at: at,
  });
  return { execution_id: id };
}

function takeExecution(id: string): Execution | undefined {
  const execution = executions.get(id);
  executions.delete(id);
  return execution;
}

function withNodeHttp(): void {
  const reply = (response: ServerResponse, status: number, value: unknown) => {
    const text = JSON.stringify(value);
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(text) });
    response.end(text);
  };
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    if (request.method === 'GET') {
      const path = request.url?.split('?')[0] ?? '';
      reply(response, 200, takeExecution(path.slice('/executions/'.length)));
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => reply(response, 201, startExecution(JSON.parse(Buffer.concat(chunks).toString()))));
  });
  server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
}

async function withFastify(): Promise<void> {
  const app = fastify();
  app.post<{ Body: { readonly workflow_id: string; readonly input: unknown } }>('/executions', async (request, reply) => {
    void reply.code(201);
    return startExecution(request.body);
  });
  app.get<{ Params: { readonly id: string } }>('/executions/:id', async (request) => takeExecution(request.params.id));
  console.log(await app.listen({ port: 0, host: '127.0.0.1' }));
}

if (process.argv[2] === 'fastify') await withFastify();
else withNodeHttp();
