// A lawyer that speaks A2A, so that the example runs offline: `node examples/contract-review/agent.mjs`.
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import { TaskState } from '@a2a-js/sdk';
import {
  AgentEvent,
  DefaultRequestHandler,
  InMemoryTaskStore,
  JsonRpcTransportHandler,
  ServerCallContext,
} from '@a2a-js/sdk/server';

const QUESTION = 'May either side end the contract early?';

const text = (value) => ({ content: { $case: 'text', value }, metadata: undefined, filename: '', mediaType: 'text/plain' });

/** Asks one question about each contract, and writes its verdict word by word. */
const lawyer = {
  async execute({ userMessage, taskId, contextId, task }, bus) {
    const { may_end_early: answer } = userMessage.parts[0].content.value;
    const status = (state, said) => ({
      state,
      timestamp: undefined,
      message: said && { ...userMessage, messageId: `${taskId}-${state}`, role: 2, parts: [text(said)] },
    });
    const report = (state, said) =>
      bus.publish(AgentEvent.statusUpdate({ taskId, contextId, status: status(state, said), metadata: undefined }));
    const known = task ?? { id: taskId, contextId, artifacts: [], history: [userMessage], metadata: undefined };
    bus.publish(AgentEvent.task({ ...known, status: status(TaskState.TASK_STATE_WORKING) }));
    if (answer === null || answer === undefined) {
      report(TaskState.TASK_STATE_INPUT_REQUIRED, QUESTION);
      return bus.finished();
    }
    const verdict = `The contract is sound${answer ? ', with three months of notice.' : ', and binds both sides to its end.'}`;
    for (const [i, word] of verdict.split(/(?<= )/).entries()) {
      const artifact = {
        artifactId: 'verdict',
        name: 'verdict',
        description: '',
        parts: [text(word)],
        metadata: undefined,
        extensions: [],
      };
      bus.publish(
        AgentEvent.artifactUpdate({ taskId, contextId, artifact, append: i > 0, lastChunk: false, metadata: undefined }),
      );
    }
    report(TaskState.TASK_STATE_COMPLETED);
    bus.finished();
  },
  async cancelTask(_taskId, bus) {
    bus.finished();
  },
};

/** Serves the agent; resolves with the server. */
export function startAgent(port = 7797) {
  const server = createServer(async (request, response) => {
    const url = `http://${request.headers.host}`;
    const supportedInterfaces = [{ url: `${url}/a2a`, protocolBinding: 'JSONRPC', protocolVersion: '1.0', tenant: '' }];
    const skills = [{ id: 'review', name: 'Review', description: 'Reads a contract', tags: ['law'] }];
    const card = {
      name: 'Lawyer',
      description: 'Reads contracts',
      version: '1.0.0',
      supportedInterfaces,
      capabilities: { streaming: true },
      defaultInputModes: ['application/json'],
      defaultOutputModes: ['text/plain'],
      skills,
    };
    if (request.method === 'GET' && request.url === '/.well-known/agent-card.json') return response.end(JSON.stringify(card));
    if (request.url !== '/a2a') return response.writeHead(404).end();
    let body = '';
    for await (const chunk of request) body += chunk;
    handler ??= new JsonRpcTransportHandler(new DefaultRequestHandler(card, new InMemoryTaskStore(), lawyer));
    const reply = await handler.handle(JSON.parse(body), new ServerCallContext({ requestedVersion: '1.0' }));
    if (!(Symbol.asyncIterator in reply)) {
      return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for await (const event of reply) response.write(`data: ${JSON.stringify(event)}\n\n`);
    response.end();
  });
  let handler;
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await startAgent();
  console.log('the lawyer answers at http://127.0.0.1:7797');
}
