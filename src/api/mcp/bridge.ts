import { Ajv } from 'ajv';
import { isObject, type JsonObject } from '../../../machines/json.ts';
import { RuntimeError } from '../../runtime/errors.ts';
import { FairQueue } from '../../runtime/scheduling/fair-queue.ts';
import { throwIfAborted } from '../../runtime/scheduling/round-robin.ts';
import { VERSION } from '../../server/config.ts';
import { missingThing } from '../errors.ts';
import { validationError } from '../requests/validation.ts';
import { BATCH_CONCURRENCY, MAX_BATCH_MESSAGES, MAX_BATCH_REPLY_BYTES, MAX_TOOL_REPLY_BYTES } from './limits.ts';
import { type McpTool, type RestRequest, TOOLS } from './tools.ts';

/** A reply of the REST API; `text` is null if it was larger than `maxBytes`, in which case it was not read to its end. */
export interface RestReply {
  readonly status: number;
  readonly text: string | null;
}

/** Sends a request to the REST API on behalf of the caller. */
export type RestCall = (request: RestRequest, maxBytes: number, signal: AbortSignal) => Promise<RestReply>;

export interface McpCall {
  /** Parsed JSON that is not validated. */
  readonly message: unknown;
  /** The header `MCP-Protocol-Version`; undefined if absent. */
  readonly protocolVersion: string | undefined;
  readonly tenantId: string;
  readonly rest: RestCall;
  /** The tools that published workflows of the tenant are. */
  readonly published: () => Promise<readonly McpTool[]>;
  /** Ends the wait for a reply that never comes because its request was cancelled in the same batch. */
  readonly signal: AbortSignal;
}

interface ToolResult {
  readonly [key: string]: unknown;
  readonly content: { readonly type: 'text'; readonly text: string }[];
  readonly isError: boolean;
}

const INVALID_REQUEST = -32_600;
const INTERNAL_ERROR = -32_603;
const INVALID_PARAMS = -32_602;

const INSTRUCTIONS = 'Runs durable workflows: start an execution, follow its status and events, decide its approvals, cancel it.';

const loadSdk = async () => {
  const [{ Server }, { WebStandardStreamableHTTPServerTransport }, types, { AjvJsonSchemaValidator }] = await Promise.all([
    import('@modelcontextprotocol/sdk/server/index.js'),
    import('@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'),
    import('@modelcontextprotocol/sdk/types.js'),
    import('@modelcontextprotocol/sdk/validation/ajv'),
  ]);
  // Every `Server` would make a validator of its own, which takes a millisecond.
  return {
    Server,
    Transport: WebStandardStreamableHTTPServerTransport,
    types,
    jsonSchemaValidator: new AjvJsonSchemaValidator(),
  };
};
/** Loaded at the first call, because loading takes longer than the start of a server. */
let sdk: ReturnType<typeof loadSdk> | undefined;

/** Replies to one message or batch of the Model Context Protocol. There is no session: any server may reply to the next one. */
export async function answerMcp(call: McpCall): Promise<Response> {
  const { message } = call;
  if (Array.isArray(message) && message.length > MAX_BATCH_MESSAGES) return tooManyMessages(message.length);
  sdk ??= loadSdk();
  const { Server, Transport, types, jsonSchemaValidator } = await sdk;
  const server = new Server(
    { name: 'jamjet-runtime', version: VERSION },
    { capabilities: { tools: {}, resources: {}, prompts: {} }, instructions: INSTRUCTIONS, jsonSchemaValidator },
  );
  let found: Promise<readonly McpTool[]> | undefined;
  /** Looked up once for all messages of a batch. */
  const published = (): Promise<readonly McpTool[]> => {
    found ??= call.published();
    return found;
  };
  server.setRequestHandler(types.ListToolsRequestSchema, async () => ({
    tools: [...TOOLS, ...(await published())].map(toolDefinition),
  }));
  server.setRequestHandler(types.ListResourcesRequestSchema, () => ({ resources: [] }));
  server.setRequestHandler(types.ListResourceTemplatesRequestSchema, () => ({ resourceTemplates: [] }));
  server.setRequestHandler(types.ListPromptsRequestSchema, () => ({ prompts: [] }));
  const batch = new ToolBatch(call);
  server.setRequestHandler(types.CallToolRequestSchema, async ({ params }, { signal }) => {
    const isNamed = ({ name }: McpTool): boolean => name === params.name;
    const tool = TOOLS.find(isNamed) ?? (await published()).find(isNamed);
    if (tool === undefined) throw new types.McpError(types.ErrorCode.MethodNotFound, `unknown tool: ${params.name}`);
    return batch.call(tool, params.arguments ?? {}, signal);
  });
  const transport = new Transport({ enableJsonResponse: true });
  await server.connect(transport);
  const request = new Request('http://localhost/mcp', {
    method: 'POST',
    headers: {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      ...(call.protocolVersion === undefined ? {} : { 'mcp-protocol-version': call.protocolVersion }),
    },
  });
  try {
    const answer = transport.handleRequest(request, { parsedBody: call.message });
    return await unlessAborted(answer.then(withReadableErrors), call.signal);
  } finally {
    await server.close();
  }
}

/** The SDK reports invalid parameters as an internal error whose message is a JSON list. */
async function withReadableErrors(response: Response): Promise<Response> {
  if (!(response.headers.get('content-type') ?? '').startsWith('application/json')) return response;
  const text = await response.text();
  return new Response(text.includes(String(INTERNAL_ERROR)) ? withReadable(JSON.parse(text)) : text, response);
}

function withReadable(body: unknown): string {
  return JSON.stringify(Array.isArray(body) ? body.map(readableError) : readableError(body));
}

function readableError(message: unknown): unknown {
  if (!isObject(message as JsonObject)) return message;
  const { error } = message as { readonly error?: { readonly code: number; readonly message: string } };
  if (error?.code !== INTERNAL_ERROR || !error.message.startsWith('[')) return message;
  return { ...(message as object), error: { code: INVALID_PARAMS, message: 'invalid or missing parameters' } };
}

function toolDefinition({ name, description, input, readOnly: reads, destructive: destroys = false }: McpTool) {
  return {
    name,
    description,
    inputSchema: { ...input, type: 'object' as const },
    annotations: { readOnlyHint: reads, ...(reads ? {} : { destructiveHint: destroys }) },
  };
}

/** Compiles a tool's schema when it is first used. */
const ajv = new Ajv({ meta: false, validateSchema: false });

/** The tool calls of one POST, with limited concurrency and a limited total size of replies. */
class ToolBatch {
  readonly #call: McpCall;
  readonly #queue = new FairQueue('too many tools in one batch', {
    active: BATCH_CONCURRENCY,
    activePerKey: BATCH_CONCURRENCY,
    waiting: MAX_BATCH_MESSAGES,
    waitingPerKey: MAX_BATCH_MESSAGES,
  });
  #bytes = 0;

  constructor(call: McpCall) {
    this.#call = call;
  }

  /** Failures become results for the model, with the error texts of the REST API. */
  async call(tool: McpTool, args: Readonly<Record<string, unknown>>, cancelled: AbortSignal): Promise<ToolResult> {
    if (tool.describesOnly !== true && !ajv.validate(tool.input, args))
      return failed(`bad request: ${validationError(ajv.errors ?? [], 'input').message}`);
    const { tenantId, signal } = this.#call;
    const { tenant_id } = args;
    if (tenant_id !== undefined && tenant_id !== tenantId) return failed(`forbidden: the token belongs to tenant ${tenantId}`);
    const request = requestOf(tool, args as JsonObject);
    if (typeof request === 'string') return failed(request);
    const ended = AbortSignal.any([signal, cancelled]);
    return this.#queue.run('', () => this.#execute(tool, request, args as JsonObject, ended), ended);
  }

  async #execute(tool: McpTool, request: RestRequest, args: JsonObject, ended: AbortSignal): Promise<ToolResult> {
    const left = MAX_BATCH_REPLY_BYTES - this.#bytes;
    // Tools that change something are called all the same: their replies are small.
    if (left <= 0 && tool.readOnly)
      return failed(
        `the batch has read ${MAX_BATCH_REPLY_BYTES} bytes, which is the limit: send the other calls in another batch`,
      );
    const first = await this.#send(request, ended);
    const isAccepted = first.text !== null && first.status < 400;
    const { status, text } =
      isAccepted && tool.followUp !== undefined ? await this.#send(tool.followUp(first.text), ended) : first;
    if (text === null) return failed(tooLarge(tool, request));
    if (status >= 400) return failed(errorIn(text));
    const failure = tool.failure?.(text) ?? null;
    if (failure !== null) return failed(failure);
    return { content: [{ type: 'text', text: tool.reply?.(text, args) ?? text }], isError: false };
  }

  async #send(request: RestRequest, ended: AbortSignal): Promise<RestReply> {
    const reply = await this.#call.rest(request, MAX_TOOL_REPLY_BYTES, ended);
    throwIfAborted(ended);
    // A reply that was too large was read up to the limit.
    this.#bytes += reply.text === null ? MAX_TOOL_REPLY_BYTES : reply.text.length;
    return reply;
  }
}

/** The request of the tool, or why it cannot be made. */
function requestOf(tool: McpTool, args: JsonObject): RestRequest | string {
  try {
    return tool.request(args);
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    if (error.code !== 'not_found') return `bad request: ${error.message}`;
    return `not found: ${missingThing(error.message)}`;
  }
}

function tooLarge({ pagingHint: inParts }: McpTool, { method, url }: RestRequest): string {
  const rest = `use ${method} ${url} of the REST API, which returns all of it`;
  return `too large: the reply has more than ${MAX_TOOL_REPLY_BYTES} bytes; ${inParts === undefined ? rest : `${inParts}, or ${rest}`}`;
}

function tooManyMessages(count: number): Response {
  const message = `a batch may have at most ${MAX_BATCH_MESSAGES} messages, not ${count}`;
  return Response.json({ jsonrpc: '2.0', id: null, error: { code: INVALID_REQUEST, message } }, { status: 400 });
}

function failed(text: string): ToolResult {
  return { content: [{ type: 'text', text }], isError: true };
}

function errorIn(text: string): string {
  const body: unknown = JSON.parse(text);
  return isObject(body) && typeof body.error === 'string' ? body.error : text;
}

function unlessAborted(answer: Promise<Response>, signal: AbortSignal): Promise<Response> {
  const aborted = new Promise<Response>((resolve) => {
    const end = (): void => resolve(new Response(null, { status: 202 }));
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
  });
  return Promise.race([answer, aborted]);
}
