import { setTimeout as after } from 'node:timers/promises';
import { type Launch, launchServer, type Server } from '../../support/server.ts';
import type { History } from '../history.ts';
import type { Preload } from '../preload/preload.ts';
import { Link } from './link.ts';

const TRY_AGAIN_MS = 300;
/** What no line that a server prints may hold: an error of ours that nobody has foreseen. What it was the cause of, was. */
const DEFECT = /uncaught|unhandled|"type":"(Type|Reference|Range|Syntax)Error"|^(Type|Reference|Range|Syntax)Error/i;
/** What a server says that finds commits of its own gone, which a synchronous standby must not lose. */
const SET_BACK = 'gone back to an earlier state';
const LINES_KEPT = 12;

export interface MemberOptions {
  readonly name: string;
  readonly folder: string;
  readonly tools: string;
  readonly env: Readonly<Record<string, string>>;
  readonly preload: Preload;
  readonly history: History;
}

/** One server, the way to it, and what it stands on: always the same member of its cluster, however often it is started. */
export class Member {
  readonly name: string;
  /** How clients reach it. */
  readonly front: Link;
  readonly preload: Preload;
  readonly #options: MemberOptions;
  #server: Server | null = null;
  #token = '';
  /** Ends that somebody asked for. */
  readonly #asked = new WeakSet<Launch>();
  #turn: Promise<unknown> = Promise.resolve();
  #turns = 0;
  #closed = false;

  private constructor(options: MemberOptions, front: Link) {
    this.#options = options;
    this.name = options.name;
    this.preload = options.preload;
    this.front = front;
  }

  static async open(options: MemberOptions): Promise<Member> {
    return new Member(options, await Link.open());
  }

  get url(): string {
    return `http://127.0.0.1:${this.front.port}`;
  }

  get token(): string {
    return this.#token;
  }

  /** One after the other: what is done to a server begins when what was done to it before is over. */
  exclusive<T>(act: () => Promise<T>): Promise<T> {
    this.#turns += 1;
    const done = this.#turn.then(act).finally(() => {
      this.#turns -= 1;
    });
    this.#turn = done.catch(() => {});
    return done;
  }

  /** Nothing is being done to it. */
  get isFree(): boolean {
    return this.#turns === 0;
  }

  /** As an init system does: tries until it listens. */
  async start(): Promise<void> {
    while (!this.#closed) {
      const launch = this.#launch();
      try {
        this.#took(await launch.ready);
        return;
      } catch (error) {
        // It may find no database; it may not fall over it.
        this.#asked.add(launch);
        const said = error instanceof Error ? error.message : String(error);
        if (/\n\s+at /.test(said)) this.#options.history.violated('a start that fails says why in words', said);
        await launch.kill();
        await after(TRY_AGAIN_MS);
      }
    }
  }

  /** Starts it and kills it so much later, wherever it is by then. */
  async startAndKill(afterMs: number): Promise<void> {
    const launch = this.#launch();
    await after(afterMs);
    this.#asked.add(launch);
    await launch.kill();
    this.#inspect(launch.output());
  }

  async kill(): Promise<void> {
    const server = this.#take();
    await server?.kill();
    if (server !== null) this.#inspect(server.output());
  }

  /** Asks it to stop. It must end by itself, with status 0. */
  async terminate(): Promise<void> {
    const server = this.#take();
    if (server === null) return;
    const ended = await server.terminate();
    this.#inspect(server.output());
    if (ended.code !== 0) {
      const how = ended.code === null ? `by ${ended.signal}` : `with ${ended.code}`;
      this.#options.history.violated(
        'a server that is asked to stop ends with status 0',
        `${this.name} ended ${how}: ${last(server)}`,
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
    this.front.close();
    this.preload.close();
  }

  #launch(): Launch {
    const { folder, tools, env, preload } = this.#options;
    return launchServer({ folder, tools, command: 'serve', env: { ...env, ...preload.env } });
  }

  #took(server: Server): void {
    this.#server = server;
    this.#token = server.token;
    this.front.lead(Number(new URL(server.url).port));
    void server.ended.then(({ code, signal }) => {
      if (this.#asked.has(server)) return;
      this.#options.history.violated(
        'a server never ends by itself',
        `${this.name} ended with ${code ?? signal}: ${last(server)}`,
      );
      this.#server = null;
      void this.exclusive(() => this.start());
    });
  }

  #take(): Server | null {
    const server = this.#server;
    this.#server = null;
    if (server !== null) this.#asked.add(server);
    this.front.lead(null);
    return server;
  }

  #inspect(output: string): void {
    const line = output.split('\n').find((line) => DEFECT.test(line));
    if (line !== undefined) this.#options.history.violated('a server prints no error of its own making', `${this.name}: ${line}`);
    const lost = output.split('\n').find((line) => line.includes(SET_BACK));
    if (lost !== undefined) this.#options.history.violated('no database loses what it has acknowledged', `${this.name}: ${lost}`);
  }
}

function last(server: Server): string {
  return server.output().trim().split('\n').slice(-LINES_KEPT).join('\n');
}
