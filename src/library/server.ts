/** The server in your own process: `import { startServer } from 'jamjet-runtime/server'`. */
import type { Api } from '../api/services.ts';
import {
  type ServerOptions as ComposeOptions,
  createServer as composeServer,
  type Server as RunningServer,
  startServer as runServer,
} from '../server/compose.ts';
import { type LibraryParts, type LibraryRuntime, libraryRuntime } from './runtime.ts';

export type { McpServerOptions, McpServers } from '../executors/mcp/endpoint.ts';
export type { ModelSettings } from '../executors/model/settings.ts';
export { ToolsError } from '../project/tools.ts';
export type { Tools } from '../runtime/types/work.ts';
export { ListenError } from '../server/compose.ts';
export * from '../server/config.ts';
export type { StopReason } from '../server/lifecycle-log.ts';
export type { TenantVars, ToolTenants } from '../server/tenant-grants.ts';
export type { TracingChoice } from '../server/tracing-settings.ts';
export type { SamplerSettings, TracingSettings } from '../telemetry/traces/settings.ts';
export type { LibraryRuntime as Runtime } from './runtime.ts';
export type { Api, ComposeOptions as ServerOptions };

/** A server that listens. */
export interface Server extends Omit<RunningServer, 'cron' | 'runtime'> {
  /** Its `close` ends the runtime alone: then the server refuses work, and is still to be closed. */
  readonly runtime: LibraryRuntime;
}

/** A server that does not listen. */
export interface ServerApp {
  /** The Fastify app: for `app.listen`, for `app.inject`, or for routes and plugins of your own before either. */
  readonly app: Api;
  /** Its `close` ends the runtime alone: then the app refuses work, and is still to be closed. */
  readonly runtime: LibraryRuntime;
  /** Refuses new requests, gives in-process work `graceMs` (default 10,000) milliseconds to finish, then closes the database. */
  close(graceMs?: number): Promise<void>;
}

/**
 * Starts the runtime with its REST API and the console, as `jamjet serve` does. Rejects with `StoreError`, `ListenError`, `ConfigError` or
 * `ToolsError`.
 *
 * @example
 * const server = await startServer({ config: readConfig(process.env), auth: 'on', tools: { greet } });
 * console.log(server.url);
 */
export async function startServer(options: ComposeOptions): Promise<Server> {
  const { cron, runtime, ...server } = await runServer(options);
  return { ...server, runtime: runtimeOf(options, { runtime, cron }) };
}

/**
 * The same without a listener. Without authentication, every caller is an operator: then the app must listen on a loopback address alone.
 * Rejects likewise.
 *
 * @example
 * const { app } = await createServer({ config: readConfig(process.env), auth: 'on' });
 * app.get('/version', { config: { access: 'open' } }, () => ({ version: 1 }));
 * await app.listen({ port: 7700 });
 */
export async function createServer(options: ComposeOptions): Promise<ServerApp> {
  const { app, runtime, cron, close } = await composeServer(options);
  return { app, runtime: runtimeOf(options, { runtime, cron }), close };
}

function runtimeOf({ tools = {} }: ComposeOptions, parts: Pick<LibraryParts, 'cron' | 'runtime'>): LibraryRuntime {
  const close = (graceMs?: number): Promise<void> => parts.runtime.close(graceMs);
  return libraryRuntime({ ...parts, toolsOf: () => tools, workflows: [], nowMs: Date.now, close });
}
