import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { type AgentCard, type Message, type Part, Role, TaskState } from '@a2a-js/sdk';
import { LegacyJsonRpcTransportHandler } from '@a2a-js/sdk/compat/v0_3/server';
import {
  AgentEvent,
  type AgentExecutor,
  DefaultRequestHandler,
  type ExecutionEventBus,
  InMemoryTaskStore,
  JsonRpcTransportHandler,
  type RequestContext,
  ServerCallContext,
} from '@a2a-js/sdk/server';
import { type ReceivedRequest, webServer } from '../web-server.ts';

export interface TestAgent {
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  /** The messages in the order of their arrival. */
  readonly messages: readonly Message[];
  /** Methods of the calls, without those for the card. */
  methods(): readonly string[];
  /** Resolves with the id of a task that waits for `finish`. */
  waiting(): Promise<string>;
  finish(taskId: string, text?: string): void;
  /** Ids of cancelled tasks. */
  readonly cancelled: readonly string[];
  /** Resolves once a task has been cancelled. */
  wasCancelled(): Promise<string>;
  /** Ends all connections, also those of streams. */
  disconnect(): void;
}

export interface TestAgentOptions {
  readonly version: '1.0' | '0.3';
  readonly streaming?: boolean;
  readonly inputModes?: readonly string[];
  /** Its answers to messages are held back until this resolves, although it has begun what they ask for. */
  readonly answersAfter?: Promise<void>;
}

const part = (content: NonNullable<Part['content']>): Part => ({ content, metadata: undefined, filename: '', mediaType: '' });
export const textPart = (value: string): Part => part({ $case: 'text', value });
const dataPart = (value: unknown): Part => part({ $case: 'data', value });

/**
 * A real agent of the official SDK. What it does is the first word of the text, or `do` of the data: `echo` gives the message back, `stream`
 * gives a text in parts, `spend` too and says what they cost, `ask` asks for input and echoes the answer, `wait` works until `finish`, `fail` and `reject` do so, `reply` answers
 * without a task. The task says that it has used `usage` of the data.
 */
export async function a2aAgent({
  version,
  streaming = true,
  inputModes = ['application/json'],
  answersAfter,
}: TestAgentOptions): Promise<TestAgent> {
  const messages: Message[] = [];
  const cancelled: string[] = [];
  const waiting = new Map<string, (text: string) => void>();
  const listeners: (() => void)[] = [];
  const changed = (): void => {
    for (const listener of listeners.splice(0)) listener();
  };
  const until = async <T>(read: () => T | undefined): Promise<T> => {
    for (;;) {
      const value = read();
      if (value !== undefined) return value;
      await new Promise<void>((resolve) => listeners.push(resolve));
    }
  };

  const executor: AgentExecutor = {
    execute: async (context, bus) => {
      messages.push(context.userMessage);
      await new Script(context, bus, (finish) => {
        waiting.set(context.taskId, finish);
        changed();
      }).run();
    },
    cancelTask: async (taskId, bus) => {
      cancelled.push(taskId);
      bus.publish(AgentEvent.statusUpdate(status(taskId, '', TaskState.TASK_STATE_CANCELED, 'stopped')));
      bus.finished();
      waiting.get(taskId)?.('');
      waiting.delete(taskId);
      changed();
    },
  };

  const { url, requests, server } = await webServer((request, response) => {
    const path = request.url ?? '';
    if (path === '/.well-known/agent-card.json') return sendJson(response, 200, cardAt(url));
    if (path !== '/a2a') return void response.writeHead(404).end();
    void answer(JSON.parse(requests.at(-1)?.body ?? '{}') as Record<string, unknown>, response);
  });
  const cardAt = (base: string) => {
    const common = {
      name: 'Test agent',
      description: 'For tests',
      version: '1',
      capabilities: { streaming, pushNotifications: false, extensions: [] },
      defaultInputModes: inputModes,
      defaultOutputModes: ['application/json'],
      skills: [],
    };
    return version === '1.0'
      ? { ...common, supportedInterfaces: [{ url: `${base}/a2a`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }] }
      : { ...common, url: `${base}/a2a`, preferredTransport: 'JSONRPC', protocolVersion: '0.3.0' };
  };
  const card = {
    ...cardAt(url),
    supportedInterfaces: [{ url: `${url}/a2a`, protocolBinding: 'JSONRPC', protocolVersion: version, tenant: '' }],
    securitySchemes: {},
    securityRequirements: [],
    signatures: [],
    provider: undefined,
  } as unknown as AgentCard;
  const handler = new DefaultRequestHandler(card, new InMemoryTaskStore(), executor);
  const transport = version === '1.0' ? new JsonRpcTransportHandler(handler) : new LegacyJsonRpcTransportHandler(handler);

  async function answer(body: Record<string, unknown>, response: ServerResponse): Promise<void> {
    const reply = await transport.handle(body, new ServerCallContext({ requestedVersion: version }));
    if (/message/i.test(String(body.method))) await answersAfter;
    if (!(Symbol.asyncIterator in reply)) return sendJson(response, 200, reply);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    try {
      for await (const event of reply) response.write(`data: ${JSON.stringify(event)}\n\n`);
    } catch {
      // The stream ends without a last event, as that of an agent that breaks down.
    }
    response.end();
  }

  return {
    url,
    requests,
    messages,
    cancelled,
    methods: () =>
      requests.flatMap(({ method, body }) => (method === 'POST' ? [(JSON.parse(body) as { method: string }).method] : [])),
    waiting: () => until(() => waiting.keys().next().value),
    finish: (taskId, text = 'done') => {
      waiting.get(taskId)?.(text);
      waiting.delete(taskId);
    },
    wasCancelled: () => until(() => cancelled[0]),
    disconnect: () => server.closeAllConnections(),
  };
}

function sendJson(response: ServerResponse, code: number, value: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function status(taskId: string, contextId: string, state: TaskState, text: string | null) {
  const message: Message | undefined =
    text === null
      ? undefined
      : {
          messageId: randomUUID(),
          contextId,
          taskId,
          role: Role.ROLE_AGENT,
          parts: [textPart(text)],
          metadata: undefined,
          extensions: [],
          referenceTaskIds: [],
        };
  return { taskId, contextId, status: { state, message, timestamp: undefined }, metadata: undefined };
}

/** What the agent does for one message. */
class Script {
  readonly #context: RequestContext;
  readonly #bus: ExecutionEventBus;
  readonly #onWait: (finish: (text: string) => void) => void;

  constructor(context: RequestContext, bus: ExecutionEventBus, onWait: (finish: (text: string) => void) => void) {
    this.#context = context;
    this.#bus = bus;
    this.#onWait = onWait;
  }

  async run(): Promise<void> {
    const { userMessage, taskId, contextId, task } = this.#context;
    const content = userMessage.parts[0]?.content;
    const what =
      content?.$case === 'data' ? String(content.value.do) : content?.$case === 'text' ? content.value.split(' ')[0] : '';
    if (what === 'reply') {
      this.#bus.publish(
        AgentEvent.message({
          ...userMessage,
          messageId: randomUUID(),
          role: Role.ROLE_AGENT,
          contextId,
          parts: [textPart('hello')],
        }),
      );
      return this.#bus.finished();
    }
    const { status: begun } = status(taskId, contextId, TaskState.TASK_STATE_SUBMITTED, null);
    const usage = content?.$case === 'data' ? content.value.usage : undefined;
    const metadata = usage === undefined ? undefined : { usage };
    const empty = { id: taskId, contextId, artifacts: [], history: [userMessage], metadata };
    this.#bus.publish(AgentEvent.task({ ...(task ?? empty), status: begun }));
    switch (what) {
      case 'ask':
        this.#end(TaskState.TASK_STATE_INPUT_REQUIRED, 'which colour?');
        break;
      case 'fail':
        this.#end(TaskState.TASK_STATE_FAILED, 'no more tea');
        break;
      case 'reject':
        this.#end(TaskState.TASK_STATE_REJECTED, 'not my task');
        break;
      case 'wait': {
        this.#status(TaskState.TASK_STATE_WORKING, null);
        const text = await new Promise<string>((resolve) => this.#onWait(resolve));
        if (text === '') return;
        this.#artifact([textPart(text)], false);
        this.#end(TaskState.TASK_STATE_COMPLETED, null);
        break;
      }
      case 'stream':
        this.#status(TaskState.TASK_STATE_WORKING, null);
        for (const [i, text] of ['one ', 'two ', 'three'].entries()) this.#artifact([textPart(text)], i > 0);
        this.#end(TaskState.TASK_STATE_COMPLETED, null);
        break;
      case 'spend':
        this.#status(TaskState.TASK_STATE_WORKING, null);
        for (const [i, text] of ['a', 'b', 'c'].entries())
          this.#artifact([textPart(text)], i > 0, { cost_usd: 0.02, tokens: 10 });
        this.#end(TaskState.TASK_STATE_COMPLETED, null);
        break;
      default:
        this.#artifact(
          [content?.$case === 'data' ? dataPart(content.value) : textPart(content?.$case === 'text' ? content.value : '')],
          false,
        );
        this.#end(TaskState.TASK_STATE_COMPLETED, null);
    }
  }

  #status(state: TaskState, text: string | null): void {
    const { taskId, contextId } = this.#context;
    this.#bus.publish(AgentEvent.statusUpdate(status(taskId, contextId, state, text)));
  }

  #end(state: TaskState, text: string | null): void {
    this.#status(state, text);
    this.#bus.finished();
  }

  #artifact(parts: Part[], append: boolean, metadata?: Record<string, unknown>): void {
    const { taskId, contextId } = this.#context;
    const artifact = { artifactId: 'result', name: '', description: '', parts, metadata: undefined, extensions: [] };
    this.#bus.publish(AgentEvent.artifactUpdate({ taskId, contextId, artifact, append, lastChunk: false, metadata }));
  }
}
