import { spawn } from 'node:child_process';
import { onTestFinished } from 'vitest';

export interface Program {
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  stdout(): string;
  stderr(): string;
  /** Resolves once standard output contains the text. */
  shows(text: RegExp): Promise<RegExpExecArray>;
  /** The same of standard error. */
  warns(text: RegExp): Promise<RegExpExecArray>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts a program like a shell, without a terminal. */
export function program(
  command: string,
  args: readonly string[],
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Program {
  const child = spawn(command, args, {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let out = '';
  let err = '';
  let wake = () => {};
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
    wake();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
    wake();
  });
  const ended = new Promise<Awaited<Program['ended']>>((done) => child.once('close', (code, signal) => done({ code, signal })));
  let over = false;
  void ended.then(() => {
    over = true;
    wake();
  });
  const found = async (text: RegExp, written: () => string): Promise<RegExpExecArray> => {
    for (;;) {
      const match = text.exec(written());
      if (match !== null) return match;
      if (over) throw new Error(`it ended without showing ${text}:\n${out}\n${err}`);
      await new Promise<void>((resume) => {
        const before = wake;
        wake = () => {
          before();
          resume();
        };
      });
    }
  };
  return {
    ended,
    stdout: () => out,
    stderr: () => err,
    shows: (text) => found(text, () => out),
    warns: (text) => found(text, () => err),
    kill: (signal) => void child.kill(signal),
  };
}
