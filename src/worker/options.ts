import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { ApiError } from '../client/index.ts';
import type { ToolLogFields, ToolLogLevel } from '../executors/tool-context/tool-log.ts';
import type { Tools } from '../runtime/types/work.ts';

/** A line of the worker's log: of the worker itself, or of a tool, with its execution, node, attempt and tenant. */
export interface WorkerLogEntry {
  readonly level: ToolLogLevel;
  readonly message: string;
  readonly fields: ToolLogFields;
}

/**
 * Options of `createWorker`.
 *
 * @example
 * const worker = createWorker({ url: 'http://127.0.0.1:7700', token: process.env.JAMJET_TOKEN, tools: { draft_quote }, concurrency: 4 });
 */
export interface WorkerOptions {
  /** URL of the server: `http://host:port`, optionally with a path prefix. */
  readonly url: string;
  /** API token of role `developer` or `operator`; null or absent = none, as for a server without authentication. */
  readonly token?: string | null | undefined;
  /** Functions by the `tool_ref` of the nodes that call them. Only their items, and those of `durable`, are claimed. */
  readonly tools?: Tools;
  /** Workflows whose functions run here: durable functions and state machines, and the tools of other definitions. The server has their documents. */
  readonly durable?: readonly Provider[];
  /** Queues to claim from; default: `tool`. An item of another queue calls the tool that is named like it (docs/workers.md). */
  readonly queues?: readonly string[];
  /** Name of the worker in events and in `GET /workers`; default: a random one that begins with the host's name. */
  readonly id?: string;
  /** Items that are worked on at the same time; default 10. A durable function that only waits is none. */
  readonly concurrency?: number;
  /** Durable functions that stay in memory while they only wait; default 1,000. Others run again from their top. */
  readonly liveFunctions?: number;
  /** How long `stop` lets tools finish, in milliseconds; default 30,000. */
  readonly stopTimeoutMs?: number;
  /** Signals of the process on which the worker stops, e.g. `['SIGTERM', 'SIGINT']`; default: none. */
  readonly stopOnSignals?: readonly NodeJS.Signals[];
  /** Takes what the worker and its tools log; default: lines of JSON on standard error, from level `info` on. */
  readonly onLog?: (entry: WorkerLogEntry) => void;
  /** Default: `globalThis.fetch`. */
  readonly fetch?: typeof globalThis.fetch;
}

/** A workflow definition, for a worker. */
export interface Provider {
  readonly id: string;
  /** Functions that its nodes call, by name. */
  readonly tools: Tools;
}

export type WorkerSettings = Required<Omit<WorkerOptions, 'token' | 'fetch' | 'durable'>> &
  Pick<WorkerOptions, 'token' | 'fetch'>;

const MAX_NAME_LENGTH = 256;
const MAX_QUEUES = 64;
const MAX_CONCURRENCY = 10_000;

/** The options with their defaults. Throws a `TypeError` that names what cannot be used. */
export function settingsOf(options: WorkerOptions): WorkerSettings {
  const { durable = [], queues = ['tool'], concurrency = 10, liveFunctions = 1_000, stopTimeoutMs = 30_000 } = options;
  const id = options.id ?? `${hostname().slice(0, 200)}-${process.pid}-${randomBytes(3).toString('hex')}`;
  check(URL.canParse(options.url) && /^https?:/.test(options.url), 'url', 'expected http://host:port', options.url);
  check(isName(id), 'id', `expected a text of 1 to ${MAX_NAME_LENGTH} characters`, id);
  const { tools: given = {} } = options;
  check(typeof given === 'object' && given !== null, 'tools', 'expected functions by name', given);
  const tools = { ...toolsOf(durable), ...given };
  check(Object.keys(tools).length > 0, 'tools', 'expected at least one function, here or in `durable`', given);
  for (const [name, tool] of Object.entries(tools))
    check(typeof tool === 'function', `tools.${name}`, 'expected a function', tool);
  check(
    Array.isArray(queues) && queues.length > 0 && queues.length <= MAX_QUEUES && queues.every(isName),
    'queues',
    `expected 1 to ${MAX_QUEUES} names`,
    queues,
  );
  check(
    Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= MAX_CONCURRENCY,
    'concurrency',
    `expected a whole number from 1 to ${MAX_CONCURRENCY}`,
    concurrency,
  );
  check(
    Number.isInteger(liveFunctions) && liveFunctions >= 0,
    'liveFunctions',
    'expected a whole number of at least 0',
    liveFunctions,
  );
  check(Number.isFinite(stopTimeoutMs) && stopTimeoutMs >= 0, 'stopTimeoutMs', 'expected milliseconds, 0 or more', stopTimeoutMs);
  const { stopOnSignals = [], onLog = toStandardError } = options;
  const { durable: _, ...rest } = options;
  return { ...rest, id, tools, queues: [...new Set(queues)], concurrency, liveFunctions, stopTimeoutMs, stopOnSignals, onLog };
}

/** The functions of workflow definitions. */
function toolsOf(durable: readonly Provider[]): Tools {
  check(Array.isArray(durable), 'durable', 'expected a list of workflow definitions', durable);
  const tools: Record<string, Tools[string]> = {};
  for (const [index, definition] of durable.entries()) {
    const isDefinition = typeof definition === 'object' && definition !== null && typeof definition.tools === 'object';
    check(isDefinition, `durable[${index}]`, 'expected what durable() or durableMachine() has made', definition);
    for (const [name, tool] of Object.entries(definition.tools)) {
      if (Object.hasOwn(tools, name) && tools[name] !== tool)
        throw new TypeError(`createWorker: durable[${index}]: another definition has a function "${name}", too`);
      tools[name] = tool;
    }
  }
  return tools;
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= MAX_NAME_LENGTH;
}

function check(holds: boolean, option: string, expected: string, given: unknown): void {
  if (holds) return;
  const shown = typeof given === 'string' || typeof given === 'number' ? JSON.stringify(given) : typeof given;
  throw new TypeError(`createWorker: ${option}: ${expected}, not ${shown}`);
}

function toStandardError({ level, message, fields }: WorkerLogEntry): void {
  if (level === 'debug') return;
  const line = { level, time: new Date().toISOString(), message, ...shownErrors(fields) };
  process.stderr.write(`${JSON.stringify(line)}\n`);
}

/** JSON has no errors. */
function shownErrors(fields: ToolLogFields): ToolLogFields {
  const shown = (value: unknown): unknown => {
    if (!(value instanceof Error)) return value;
    const { name, message, stack } = value;
    return value instanceof ApiError ? { name, message, status: value.status } : { name, message, stack };
  };
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, shown(value)]));
}
