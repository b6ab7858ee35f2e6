import { resolve } from 'node:path';
import { type Config, urlOf } from '../../config.ts';
import { aborted, type Context, listenForInterrupt } from '../context.ts';
import { EXIT, usageFailure } from '../failure.ts';
import { isLoopback } from './loopback.ts';

/** Time for in-process work to complete after a stop signal. The whole stop takes less than 12 s if the database responds. */
const GRACE_MS = 10_000;

export interface ServeOptions {
  readonly config: Config;
  readonly auth: 'on' | 'off';
  /** Path of the tools module; undefined = none. */
  readonly tools: string | undefined;
  /** Called when the server is listening. */
  readonly onStarted: (url: string, tools: readonly string[]) => void | Promise<void>;
  readonly onStopping: () => void | Promise<void>;
}

/** Throws if the server would be reachable from other machines: without authentication every client is an operator. */
export function requireLoopback({ bind, port }: Config, hint: string): void {
  if (!isLoopback(urlOf(bind, port)))
    throw usageFailure(`without authentication the server must listen on a loopback address, and ${bind} is not one`, hint);
}

/**
 * Runs a server until Ctrl-C or SIGTERM, or until it loses its database; a second signal ends the process at once. Resolves with the exit
 * code.
 */
export async function serve(context: Context, options: ServeOptions): Promise<number> {
  const interrupt = listenForInterrupt(context.signals);
  try {
    const { startServer } = await import('../../compose.ts');
    const { loadTools } = await import('../../tools.ts');
    const tools = options.tools === undefined ? {} : await loadTools(resolve(context.cwd, options.tools));
    const server = await startServer({ config: options.config, tools, auth: options.auth });
    await options.onStarted(server.url, Object.keys(tools));
    const failure = await Promise.race([aborted(interrupt.signal).then(() => null), server.failed]);
    await options.onStopping();
    await server.close(GRACE_MS, failure ?? interrupt.name());
    return failure === null ? EXIT.ok : EXIT.failed;
  } finally {
    interrupt.stopListening();
  }
}
