import { resolve } from 'node:path';
import type { LocalTool } from '../../authoring/tools.ts';
import { ApiError, JamjetClient, Unreachable } from '../../client/index.ts';
import { type Connection, connect } from '../connection/connect.ts';
import type { Context } from '../context.ts';
import { usageFailure } from '../failure.ts';
import { settings } from '../input/settings.ts';
import { shownDatabase } from '../terminal/path.ts';
import type { CommandServer } from './command-servers.ts';
import type { ReadDeltas } from './live-answers.ts';

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
  /** The texts that models write for an execution, while they do. */
  readonly deltas: ReadDeltas;
  close(): Promise<void>;
}

export interface HostOptions {
  readonly runtime: string | undefined;
  readonly embedded: boolean;
  readonly db: string | undefined;
  readonly tools: string | undefined;
  /** File with answers of models; only an embedded runtime reads it. */
  readonly script: string | undefined;
  /** Functions named by the workflow file; only an embedded runtime loads them. */
  readonly localTools: Readonly<Record<string, LocalTool>>;
  /** MCP servers that the workflow file starts by a command; only an embedded runtime does so. */
  readonly commandServers: Readonly<Record<string, CommandServer>>;
  /** Variables that the workflow file names; only an embedded runtime gives them to it. */
  readonly variables: readonly string[];
  /** The execution to resume. */
  readonly resume: string | null;
}

/** Timeout of the probe of the default address before an embedded runtime is used. */
const PROBE_MS = 2000;
/** Time for running functions to complete when an embedded runtime is closed. */
const GRACE_MS = 2000;

/** Opens the given server, else a server at the default address, else an embedded runtime. */
export async function openHost(context: Context, options: HostOptions): Promise<Host> {
  if (options.embedded && options.runtime !== undefined)
    throw usageFailure('give --embedded (or --db, or --script) or --runtime, not both');
  if (options.embedded) return embeddedHost(context, options, []);
  const connection = await connect(options.runtime, context);
  if (connection.explicit) return serverHost(connection, options);
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

function serverHost({ client, url, tokenSource }: Connection, options: HostOptions): Host {
  if (options.tools !== undefined) {
    throw usageFailure(
      `--tools requires an embedded run, and this one runs on ${url}`,
      'Start the server with --tools, or add --embedded.',
    );
  }
  const functions = Object.keys(options.localTools);
  const queuedWorkNote = `functions of the file (${functions.join(', ')}) are not available on ${url}: start the server with --tools, or run with --embedded`;
  return {
    client,
    embedded: false,
    url,
    tokenSource,
    label: `on ${url}`,
    functions: null,
    startupNotes: [],
    queuedWorkNote: functions.length === 0 ? null : queuedWorkNote,
    deltas: (id, signal) => client.live.deltas(id, { signal }),
    close: async () => undefined,
  };
}

async function embeddedHost(context: Context, options: HostOptions, startupNotes: readonly string[]): Promise<Host> {
  const config = settings(context, { db: options.db, script: options.script });
  const { openEmbedded } = await import('../../compose.ts');
  const { loadLocalTools, loadTools } = await import('../../tools.ts');
  const { withGrant } = await import('../../tenant-grants.ts');
  const tools = {
    ...(options.tools === undefined ? {} : await loadTools(resolve(context.cwd, options.tools))),
    ...(await loadLocalTools(options.localTools)),
  };
  const { resume } = options;
  const runtime = await openEmbedded({
    // The user runs their own files on their own machine, as with `jamjet dev`.
    config: {
      ...config,
      allowPrivateAddresses: true,
      workflowVars: withGrant(config.workflowVars, options.variables, context.env),
    },
    tools,
    actor: userOf(context),
    mcpServers: options.commandServers,
    shouldProcess: (id) => resume !== null && normalizedId(id) === normalizedId(resume),
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
    deltas: runtime.deltas,
    close: () => runtime.close(GRACE_MS),
  };
}

/** Actor of an embedded run, which has no tokens: the user of the process. */
export function userOf({ env }: Context): string {
  return env.USER || env.USERNAME || 'terminal';
}

/** Normalizes the three notations of an execution id: lower case, without prefix and dashes. */
function normalizedId(id: string): string {
  return id
    .replace(/^exec_/, '')
    .replaceAll('-', '')
    .toLowerCase();
}
