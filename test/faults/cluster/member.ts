import { setTimeout as after } from 'node:timers/promises';
import { launchServer, type Server, type ServerProcess } from '../../support/server.ts';
import type { History } from '../history.ts';
import type { Preload } from '../preload/preload.ts';
import { ProxiedLink } from './proxied-link.ts';

const RETRY_MS = 300;
/** Text of unexpected errors, which no server may print. Their consequences are handled errors. */
const UNEXPECTED_ERROR = /uncaught|unhandled|"type":"(Type|Reference|Range|Syntax)Error"|^(Type|Reference|Range|Syntax)Error/i;
/** Logged by a server that finds its own commits missing; a synchronous standby must not lose them. */
const LOST_COMMITS = 'gone back to an earlier state';
const LAST_LINES = 12;

export interface MemberOptions {
  readonly name: string;
  readonly folder: string;
  readonly tools: string;
  readonly env: Readonly<Record<string, string>>;
  readonly preload: Preload;
  readonly history: History;
}

/** One member of a cluster across restarts: its server process, the link to it, and its preloaded library. */
export class Member {
  readonly name: string;
  /** Link through which clients reach it. */
  readonly clientLink: ProxiedLink;
  readonly preload: Preload;
  readonly #options: MemberOptions;
  #server: Server | null = null;
  #token = '';
  /** Processes that were told to exit. */
  readonly #expectedExits = new WeakSet<ServerProcess>();
  #lastAction: Promise<unknown> = Promise.resolve();
  #pendingActions = 0;
  #closed = false;

  private constructor(options: MemberOptions, front: ProxiedLink) {
    this.#options = options;
    this.name = options.name;
    this.preload = options.preload;
    this.clientLink = front;
  }

  static async open(options: MemberOptions): Promise<Member> {
    return new Member(options, await ProxiedLink.open());
  }

  get url(): string {
    return `http://127.0.0.1:${this.clientLink.port}`;
  }

  get token(): string {
    return this.#token;
  }

  /** Runs actions on the server one after the other. */
  runExclusive<T>(act: () => Promise<T>): Promise<T> {
    this.#pendingActions += 1;
    const done = this.#lastAction.then(act).finally(() => {
      this.#pendingActions -= 1;
    });
    this.#lastAction = done.catch(() => {});
    return done;
  }

  /** No action is in progress. */
  get isIdle(): boolean {
    return this.#pendingActions === 0;
  }

  /** Starts the server like an init system: retries until it listens. */
  async start(): Promise<void> {
    while (!this.#closed) {
      const launch = this.#launch();
      try {
        this.#onReady(await launch.ready);
        return;
      } catch (error) {
        // The database may be unavailable. The server must then exit with a message, without a stack trace.
        this.#expectedExits.add(launch);
        const said = error instanceof Error ? error.message : String(error);
        if (/\n\s+at /.test(said))
          this.#options.history.addViolation('a failed start prints a message without a stack trace', said);
        await launch.kill();
        await after(RETRY_MS);
      }
    }
  }

  /** Starts the server and kills it after the given time. */
  async startAndKill(afterMs: number): Promise<void> {
    const launch = this.#launch();
    await after(afterMs);
    this.#expectedExits.add(launch);
    await launch.kill();
    this.#checkOutput(launch.output());
  }

  async kill(): Promise<void> {
    const server = this.#detach();
    await server?.kill();
    if (server !== null) this.#checkOutput(server.output());
  }

  /** Sends SIGTERM. The server must exit with status 0. */
  async terminate(): Promise<void> {
    const server = this.#detach();
    if (server === null) return;
    const ended = await server.terminate();
    this.#checkOutput(server.output());
    if (ended.code !== 0) {
      const how = ended.code === null ? `by ${ended.signal}` : `with ${ended.code}`;
      this.#options.history.addViolation(
        'a server exits with status 0 on SIGTERM',
        `${this.name} ended ${how}: ${lastLines(server)}`,
      );
    }
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (this.#server !== null) process.kill(this.#server.pid, signal);
  }

  get isUp(): boolean {
    return this.#server !== null;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.signal('SIGCONT');
    await this.kill();
    this.clientLink.close();
    this.preload.close();
  }

  #launch(): ServerProcess {
    const { folder, tools, env, preload } = this.#options;
    return launchServer({ folder, tools, command: 'serve', env: { ...env, ...preload.env } });
  }

  #onReady(server: Server): void {
    this.#server = server;
    this.#token = server.token;
    this.clientLink.redirect(Number(new URL(server.url).port));
    void server.ended.then(({ code, signal }) => {
      if (this.#expectedExits.has(server)) return;
      this.#options.history.addViolation(
        'a server never exits by itself',
        `${this.name} ended with ${code ?? signal}: ${lastLines(server)}`,
      );
      this.#server = null;
      void this.runExclusive(() => this.start());
    });
  }

  #detach(): Server | null {
    const server = this.#server;
    this.#server = null;
    if (server !== null) this.#expectedExits.add(server);
    this.clientLink.redirect(null);
    return server;
  }

  #checkOutput(output: string): void {
    const line = output.split('\n').find((line) => UNEXPECTED_ERROR.test(line));
    if (line !== undefined) this.#options.history.addViolation('a server prints no unexpected error', `${this.name}: ${line}`);
    const lost = output.split('\n').find((line) => line.includes(LOST_COMMITS));
    if (lost !== undefined) this.#options.history.addViolation('no acknowledged commit is lost', `${this.name}: ${lost}`);
  }
}

function lastLines(server: Server): string {
  return server.output().trim().split('\n').slice(-LAST_LINES).join('\n');
}
