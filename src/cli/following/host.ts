import { createConnection } from 'node:net';
import { resolve } from 'node:path';
import { ApiError, JamjetClient, Unreachable } from '../../client/index.ts';
import type { ProjectFile } from '../../project/project-file.ts';
import { warn } from '../base/command.ts';
import { type Connection, connect } from '../connection/connect.ts';
import { openOfflineDatabase } from '../connection/offline-database.ts';
import { type Context, userOf } from '../context.ts';
import { usageFailure } from '../failure.ts';
import { executionIdOf, isWholeId } from '../input/execution-id.ts';
import { settings } from '../input/settings.ts';
import { moduleLoader, variablesNeeded } from '../input/workflow-file.ts';
import { shownDatabase } from '../terminal/path.ts';
import { plain } from '../terminal/text.ts';
import { commandServers } from './command-servers.ts';
import type { ReadLive } from './live-answers.ts';

/** The runtime a command runs on: a server, or an embedded runtime in this process behind the same API. */
export interface Host {
  readonly client: JamjetClient;
  readonly embedded: boolean;
  readonly url: string;
  readonly tokenSource: string | null;
  /** Shown to the user: `on http://…`, `embedded on .jamjet/runtime.db`. */
  readonly label: string;
  /** Functions of an embedded runtime; null on a server, where workers may execute nodes. */
  readonly functions: ReadonlySet<string> | null;
  /** Printed before the run starts. */
  readonly startupNotes: readonly string[];
  /** Printed when a node is queued for a worker; null = nothing. */
  readonly queuedWorkNote: string | null;
  /** The texts that models write for an execution, while they do, and the progress of tools. */
  readonly live: ReadLive;
  close(): Promise<void>;
}

export interface HostOptions {
  readonly runtime: string | undefined;
  /** Run in this process, as with `db` and `script`. */
  readonly embedded: boolean;
  readonly db: string | undefined;
  readonly tools: string | undefined;
  /** File with answers of models; only an embedded runtime reads it. */
  readonly script: string | undefined;
  /** The workflow file, if there is one. Only an embedded runtime loads its functions, starts its MCP servers and gives it its variables. */
  readonly authored: ProjectFile | null;
  /** The execution to resume. */
  readonly resume: string | null;
}

/** Timeout of the probe of the default address before an embedded runtime is used. */
const PROBE_MS = 2000;
/** Time for running functions to complete when an embedded runtime is closed. */
const GRACE_MS = 2000;

/** Opens the given server, else a server at the default address, else an embedded runtime. */
export async function openHost(context: Context, options: HostOptions): Promise<Host> {
  const isEmbedded = options.embedded || options.db !== undefined || options.script !== undefined;
  if (isEmbedded && options.runtime !== undefined)
    throw usageFailure('give --embedded (or --db, or --script) or --runtime, not both');
  if (isEmbedded) return embeddedHost(context, options, []);
  const connection = await connect(options.runtime, context, ({ message }) => warn(context, plain(message)));
  if (connection.explicit) return serverHost(connection, options);
  if (!(await isListening(connection.url))) return embeddedHost(context, options, []);
  try {
    await new JamjetClient({ url: connection.url, timeoutMs: PROBE_MS }).health();
  } catch (error) {
    if (error instanceof Unreachable) return embeddedHost(context, options, []);
    if (error instanceof ApiError)
      return embeddedHost(context, options, [`${connection.url} is not a JamJet server: running embedded`]);
    throw error;
  }
  return serverHost(connection, options);
}

/** Whether there is a listener at the address. This is cheaper than a request, whose first one in a process loads Node's HTTP client. */
function isListening(url: string): Promise<boolean> {
  const { protocol, hostname, port } = new URL(url);
  const socket = createConnection({
    host: hostname.replace(/[[\]]/g, ''),
    port: Number(port) || (protocol === 'https:' ? 443 : 80),
    timeout: PROBE_MS,
  });
  return new Promise<boolean>((resolve) => {
    socket.on('connect', () => resolve(true));
    for (const failure of ['timeout', 'error']) socket.on(failure, () => resolve(false));
  }).finally(() => socket.destroy());
}

function serverHost({ client, url, tokenSource }: Connection, options: HostOptions): Host {
  if (options.tools !== undefined) {
    throw usageFailure(
      `--tools requires an embedded run, and this one runs on ${url}`,
      'Start the server with --tools, or add --embedded.',
    );
  }
  const functions = options.authored?.toolNames ?? [];
  const queuedWorkNote = `functions of the file (${functions.join(', ')}) are not available on ${url}: start the server with them (jamjet dev FILE), or run with --embedded`;
  return {
    client,
    embedded: false,
    url,
    tokenSource,
    label: `on ${url}`,
    functions: null,
    startupNotes: [],
    queuedWorkNote: functions.length === 0 ? null : queuedWorkNote,
    live: (id, signal) => client.live.updates(id, { signal }),
    close: async () => undefined,
  };
}

async function embeddedHost(context: Context, options: HostOptions, startupNotes: readonly string[]): Promise<Host> {
  const config = settings(context, { db: options.db, script: options.script });
  const { openEmbedded } = await import('../../server/compose.ts');
  const { loadTools } = await import('../../project/tools.ts');
  const { ProcessGuard } = await import('../../server/process-guard.ts');
  const { withGrant } = await import('../../server/tenant-grants.ts');
  const tools = {
    ...(options.tools === undefined ? {} : await loadTools(resolve(context.cwd, options.tools), await moduleLoader(context.cwd))),
    ...(await options.authored?.tools()),
  };
  const resume = options.resume === null ? null : await wholeId(context, options.db, options.resume);
  const runtime = await openEmbedded({
    // The user runs their own files on their own machine, as with `jamjet dev`.
    config: {
      ...config,
      allowPrivateAddresses: true,
      workflowVars: withGrant(config.workflowVars, variablesNeeded(options.authored), context.env),
    },
    tools,
    actor: userOf(context),
    mcpServers: commandServers(options.authored?.workflows.map(({ document }) => document) ?? []),
    shouldProcess: (id) => resume !== null && normalizedId(id) === normalizedId(resume),
  });
  const guard = new ProcessGuard({
    events: context.signals,
    hasCode: Object.keys(tools).length > 0,
    log: (_level, message, { err, node }) =>
      warn(context, plain(`${node === undefined ? '' : `${node}: `}${message}: ${stackOf(err)}`, { lines: true })),
    onFatal: null,
  });
  const url = 'http://embedded';
  return {
    client: new JamjetClient({ url, fetch: runtime.fetch }),
    embedded: true,
    url,
    tokenSource: null,
    label: `embedded on ${shownDatabase(config.database, context.cwd)}`,
    functions: new Set(Object.keys(tools)),
    startupNotes,
    queuedWorkNote: null,
    live: runtime.live,
    close: async () => {
      await runtime.close(GRACE_MS);
      guard.close();
    },
  };
}

function stackOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}

/** Short ids are looked up before the runtime takes up the execution. */
async function wholeId(context: Context, db: string | undefined, typed: string): Promise<string> {
  if (isWholeId(typed)) return typed;
  const offline = await openOfflineDatabase(context, { db });
  if (offline === null) return typed;
  try {
    return await executionIdOf(offline.client, typed);
  } finally {
    await offline.close();
  }
}

/** Normalizes the three notations of an execution id: lower case, without prefix and dashes. */
function normalizedId(id: string): string {
  return id
    .replace(/^exec_/, '')
    .replaceAll('-', '')
    .toLowerCase();
}
