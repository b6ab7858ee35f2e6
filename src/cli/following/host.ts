import { resolve } from 'node:path';
import type { LocalTool } from '../../authoring/tools.ts';
import { ApiError, JamjetClient, Unreachable } from '../../client/index.ts';
import { type Connection, connect } from '../connection/connect.ts';
import type { Context } from '../context.ts';
import { usageFailure } from '../failure.ts';
import { settings } from '../input/settings.ts';
import { shownDatabase } from '../terminal/path.ts';

/** Where a run takes place: on a server, or in this process. Both speak the same API. */
export interface Host {
  readonly client: JamjetClient;
  readonly embedded: boolean;
  readonly url: string;
  readonly tokenSource: string | null;
  /** For people: `on http://…`, `embedded on .jamjet/runtime.db`. */
  readonly label: string;
  /** The functions of an embedded run; null where workers may do the work. */
  readonly functions: ReadonlySet<string> | null;
  /** What the user should know before the run starts. */
  readonly startupNotes: readonly string[];
  /** What may be wrong when work is left to a worker; null when there is nothing to say. */
  readonly queuedWorkNote: string | null;
  close(): Promise<void>;
}

export interface HostOptions {
  readonly runtime: string | undefined;
  readonly embedded: boolean;
  readonly db: string | undefined;
  readonly tools: string | undefined;
  /** Functions the workflow file names: only an embedded run may load them. */
  readonly localTools: Readonly<Record<string, LocalTool>>;
  /** The execution to go on with. */
  readonly resume: string | null;
}

/** How long the default address may take to answer before the run goes embedded. */
const PROBE_MS = 2000;
/** How long functions under way may take once an embedded run is left. */
const GRACE_MS = 2000;

/** The chosen server, or the one on the default address, or none: then the runtime runs in this process. */
export async function openHost(context: Context, options: HostOptions): Promise<Host> {
  if (options.embedded && options.runtime !== undefined) throw usageFailure('an embedded run has no --runtime');
  if (options.embedded) return embeddedHost(context, options, []);
  const connection = await connect(options.runtime, context);
  if (connection.explicit) return serverHost(connection, options);
  try {
    await new JamjetClient({ url: connection.url, timeoutMs: PROBE_MS }).health();
  } catch (error) {
    if (error instanceof Unreachable) return embeddedHost(context, options, []);
    if (error instanceof ApiError)
      return embeddedHost(context, options, [`${connection.url} is no JamJet runtime: running embedded`]);
    throw error;
  }
  return serverHost(connection, options);
}

function serverHost({ client, url, tokenSource }: Connection, options: HostOptions): Host {
  if (options.tools !== undefined) {
    throw usageFailure(
      `--tools is for embedded runs, and this one goes to ${url}`,
      'Start that server with --tools, or add --embedded.',
    );
  }
  const functions = Object.keys(options.localTools);
  const queuedWorkNote = `functions of the file (${functions.join(', ')}) are not sent to ${url}: start that server with --tools, or run it here with --embedded`;
  return {
    client,
    embedded: false,
    url,
    tokenSource,
    label: `on ${url}`,
    functions: null,
    startupNotes: [],
    queuedWorkNote: functions.length === 0 ? null : queuedWorkNote,
    close: async () => undefined,
  };
}

async function embeddedHost(context: Context, options: HostOptions, startupNotes: readonly string[]): Promise<Host> {
  const config = settings(context, { db: options.db });
  const { openEmbedded } = await import('../../compose.ts');
  const { loadLocalTools, loadTools } = await import('../../tools.ts');
  const tools = {
    ...(options.tools === undefined ? {} : await loadTools(resolve(context.cwd, options.tools))),
    ...(await loadLocalTools(options.localTools)),
  };
  const { resume } = options;
  const runtime = await openEmbedded({
    // The user's own files on the user's own machine, as with `jamjet dev`.
    config: { ...config, allowPrivateAddresses: true },
    tools,
    actor: userOf(context),
    adopts: (id) => resume !== null && normalizedId(id) === normalizedId(resume),
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
    close: () => runtime.close(GRACE_MS),
  };
}

/** An embedded run has no tokens: who started the process acts. */
function userOf({ env }: Context): string {
  return env.USER || env.USERNAME || 'terminal';
}

/** An execution id without its prefix and dashes: it may be written in three ways. */
function normalizedId(id: string): string {
  return id
    .replace(/^exec_/, '')
    .replaceAll('-', '')
    .toLowerCase();
}
