import { resolve } from 'node:path';
import { type Config, urlOf } from '../config.ts';
import { isLoopback } from './connect.ts';
import { type Context, listenForInterrupt } from './context.ts';
import { EXIT, usageFailure } from './failure.ts';

/** How long in-process work may take to finish once the server is told to stop. The whole stop stays below 12 s, if the database answers. */
const GRACE_MS = 10_000;

export interface Serving {
  readonly config: Config;
  readonly auth: 'on' | 'off';
  /** Module of tools; undefined = none. */
  readonly tools: string | undefined;
  /** Called once the server listens. */
  readonly started: (url: string, tools: readonly string[]) => void;
  readonly stopping: () => void;
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
export async function serve(context: Context, serving: Serving): Promise<number> {
  const interrupt = listenForInterrupt(context.signals);
  try {
    const { startServer } = await import('../compose.ts');
    const { loadTools } = await import('../tools.ts');
    const tools = serving.tools === undefined ? {} : await loadTools(resolve(context.cwd, serving.tools));
    const server = await startServer({ config: serving.config, tools, auth: serving.auth });
    serving.started(server.url, Object.keys(tools));
    await aborted(interrupt.signal);
    serving.stopping();
    await server.close(GRACE_MS);
    return EXIT.ok;
  } finally {
    interrupt.ignore();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
}
