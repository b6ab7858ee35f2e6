import { resolve } from 'node:path';
import { type Config, urlOf } from '../../config.ts';
import { type Context, listenForInterrupt } from '../context.ts';
import { EXIT, usageFailure } from '../failure.ts';
import { isLoopback } from './connect.ts';

/** How long in-process work may take to finish once the server is told to stop. The whole stop stays below 12 s, if the database answers. */
const GRACE_MS = 10_000;

export interface ServeOptions {
  readonly config: Config;
  readonly auth: 'on' | 'off';
  /** Module of tools; undefined = none. */
  readonly tools: string | undefined;
  /** Called once the server listens. */
  readonly onStarted: (url: string, tools: readonly string[]) => void;
  readonly onStopping: () => void;
}

/** Throws for an address that others reach: without authentication, all of them would be operators. */
export function requireLoopback({ bind, port }: Config, hint: string): void {
  if (!isLoopback(urlOf(bind, port)))
    throw usageFailure(
      `without authentication the server must stay on this machine, and ${bind} is not a loopback address`,
      hint,
    );
}

/** Runs a server until Ctrl-C or SIGTERM; a second one ends the process at once. */
export async function serve(context: Context, options: ServeOptions): Promise<number> {
  const interrupt = listenForInterrupt(context.signals);
  try {
    const { startServer } = await import('../../compose.ts');
    const { loadTools } = await import('../../tools.ts');
    const tools = options.tools === undefined ? {} : await loadTools(resolve(context.cwd, options.tools));
    const server = await startServer({ config: options.config, tools, auth: options.auth });
    options.onStarted(server.url, Object.keys(tools));
    await aborted(interrupt.signal);
    options.onStopping();
    await server.close(GRACE_MS);
    return EXIT.ok;
  } finally {
    interrupt.stopListening();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
}
