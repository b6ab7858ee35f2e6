import { EventEmitter } from 'node:events';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import type { Context } from '../../src/cli/context.ts';
import { run } from '../../src/cli/main.ts';
import { PATIENCE_MS } from '../support/patience.ts';

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface SessionOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  /** Standard input and output are a terminal. */
  readonly tty?: boolean;
  readonly stdin?: string;
}

/** `jamjet` in this process, with its own streams, environment, folder and signals. */
export class TerminalSession {
  readonly signals = new EventEmitter();
  readonly #stdin: PassThrough;
  readonly #stdout: PassThrough;
  readonly #stderr: PassThrough;
  #out = '';
  #err = '';
  #both = '';
  readonly #waiting = new Set<() => void>();
  readonly ended: Promise<Ended>;

  constructor(args: readonly string[], options: SessionOptions = {}) {
    const isTTY = options.tty === true;
    this.#stdin = Object.assign(new PassThrough(), { isTTY });
    this.#stdout = Object.assign(new PassThrough(), { isTTY });
    this.#stderr = Object.assign(new PassThrough(), { isTTY });
    this.#stdout.on('data', (chunk: Buffer) => this.#heard(chunk.toString(), ''));
    this.#stderr.on('data', (chunk: Buffer) => this.#heard('', chunk.toString()));
    if (options.stdin !== undefined) this.#stdin.end(options.stdin);
    const context: Context = {
      env: { TERM: 'dumb', ...options.env },
      stdin: this.#stdin,
      stdinIsPiped: options.stdin !== undefined,
      stdout: this.#stdout,
      stderr: this.#stderr,
      signals: this.signals,
      cwd: options.cwd ?? '/nonexistent',
      colorDepth: 1,
    };
    this.ended = run(args, context).then(async (code) => {
      await Promise.all([flushed(this.#stdout), flushed(this.#stderr)]);
      return { code, stdout: this.#out, stderr: this.#err };
    });
  }

  /** Standard output so far, without control sequences. */
  get screen(): string {
    return stripVTControlCharacters(this.#out);
  }

  /** Standard output and standard error, interleaved. */
  get both(): string {
    return this.#both;
  }

  type(line: string): void {
    this.#stdin.write(`${line}\n`);
  }

  /** Sends keys, without the Enter of `type`. */
  press(keys: string): void {
    this.#stdin.write(keys);
  }

  /** Resolves when the screen contains the text; rejects if the command ends before, and with the screen if it does not come. */
  async shows(text: string | RegExp, patienceMs = PATIENCE_MS): Promise<void> {
    const found = () => (typeof text === 'string' ? this.screen.includes(text) : text.test(this.screen));
    let over = false;
    let patience = true;
    const wakeAll = () => {
      for (const wake of this.#waiting) wake();
    };
    const timer = setTimeout(() => {
      patience = false;
      wakeAll();
    }, patienceMs);
    void this.ended.finally(() => {
      over = true;
      wakeAll();
    });
    try {
      while (!found()) {
        const failure = over ? 'ended without showing' : 'does not show';
        if (over || !patience) throw new Error(`${failure} ${text}:\n${this.screen}\n${this.#err}`);
        await new Promise<void>((wake) => {
          this.#waiting.add(wake);
        });
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #heard(out: string, err: string): void {
    this.#out += out;
    this.#err += err;
    this.#both += out + err;
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

export function jamjet(args: readonly string[], options?: SessionOptions): Promise<Ended> {
  return new TerminalSession(args, options).ended;
}

/** Runs a test in a temporary folder. */
export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'jamjet-cli-')));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function flushed(stream: PassThrough): Promise<void> {
  return new Promise((resolve) => stream.end(() => setImmediate(resolve)));
}
