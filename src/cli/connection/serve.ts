import { resolve } from 'node:path';
import type { Server, ServerOptions } from '../../server/compose.ts';
import { type Config, urlOf } from '../../server/config.ts';
import { aborted, type Context, listenForInterrupt } from '../context.ts';
import { EXIT, usageFailure } from '../failure.ts';
import { moduleLoader } from '../input/workflow-file.ts';
import { paintFor } from '../terminal/paint.ts';
import { serverLogText } from '../texts/server-log.ts';
import { isLoopback } from './loopback.ts';

/** Time for in-process work to complete after a stop signal. The whole stop takes less than 12 s if the database responds. */
const GRACE_MS = 10_000;

export interface ServeOptions {
  readonly config: Config;
  readonly auth: 'on' | 'off';
  readonly tools: NonNullable<ServerOptions['tools']>;
  /** MCP servers of the user's own files. */
  readonly mcpServers?: ServerOptions['mcpServers'] | undefined;
  /** Write the lines of the log as text instead of JSON. Default false. */
  readonly readableLog?: boolean;
  /** Called when the server is listening. */
  readonly onStarted: (server: Server) => void | Promise<void>;
  readonly onStopping: () => void | Promise<void>;
}

/** Throws if the server would be reachable from other machines: without authentication every client is an operator. */
export function requireLoopback({ bind, port }: Config, hint: string): void {
  if (!isLoopback(urlOf(bind, port)))
    throw usageFailure(`without authentication the server must listen on a loopback address, and ${bind} is not one`, hint);
}

/** Loads the functions of a module; none if no module is named. */
export async function toolsOfModule(context: Context, module: string | undefined): Promise<NonNullable<ServerOptions['tools']>> {
  if (module === undefined) return {};
  const { loadTools } = await import('../../project/tools.ts');
  return loadTools(resolve(context.cwd, module), await moduleLoader(context.cwd));
}

function readableLog({ stdout, env }: Context): { write(line: string): void } {
  const paint = paintFor(stdout, env);
  return { write: (line) => void stdout.write(serverLogText(line, paint)) };
}

/**
 * Runs a server until Ctrl-C or SIGTERM, or until it loses its database; a second signal ends the process at once. Resolves with the exit
 * code.
 */
export async function serve(context: Context, options: ServeOptions): Promise<number> {
  const interrupt = listenForInterrupt(context.signals);
  try {
    const { startServer } = await import('../../server/compose.ts');
    const { config, tools, auth, mcpServers = {} } = options;
    const logTo = options.readableLog === true ? { logTo: readableLog(context) } : {};
    const server = await startServer({ config, tools, auth, mcpServers, ...logTo }, context.signals);
    await options.onStarted(server);
    const failure = await Promise.race([aborted(interrupt.signal).then(() => null), server.failed]);
    await options.onStopping();
    await server.close(GRACE_MS, failure ?? interrupt.name());
    return failure === null ? EXIT.ok : EXIT.failed;
  } finally {
    interrupt.stopListening();
  }
}
