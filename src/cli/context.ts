import type { Readable, Writable } from 'node:stream';
import type { ProcessEvents } from '../server/process-guard.ts';

/** The part of `process` that delivers signals, and tells of what no code has handled. */
export type Signals = ProcessEvents & {
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  off(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
};

export type Input = Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

/** Everything of its process that a command may use; tests pass their own. */
export interface Context {
  readonly env: Record<string, string | undefined>;
  readonly stdin: Input;
  /** Standard input is a pipe or a file, which ends: it may hold answers. */
  readonly stdinIsPiped?: boolean;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly signals: Signals;
  /** Base of relative paths. */
  readonly cwd: string;
  /** Required by clipanion for its own colours, which are not used: terminal/paint.ts decides per stream. */
  readonly colorDepth: number;
}

/** Actor of changes without a server, which has no tokens: the user of the process. */
export function userOf({ env }: Pick<Context, 'env'>): string {
  return env.USER || env.USERNAME || 'terminal';
}

export interface Interrupt {
  /** Aborted by the first Ctrl-C or SIGTERM, or by `raise`. */
  readonly signal: AbortSignal;
  /** Of the signal that aborted it; `SIGINT` for `raise`. */
  readonly name: () => 'SIGINT' | 'SIGTERM';
  /** For Ctrl-C that arrives as a key, while a prompt keeps the terminal in raw mode. */
  readonly raise: () => void;
  readonly stopListening: () => void;
}

/** Listens for one signal only: a second Ctrl-C reaches Node's default handler and ends the process at once. */
export function listenForInterrupt(signals: Signals): Interrupt {
  const controller = new AbortController();
  let name: 'SIGINT' | 'SIGTERM' = 'SIGINT';
  const stopListening = () => {
    signals.off('SIGINT', raise);
    signals.off('SIGTERM', terminate);
  };
  const raise = () => stopOn('SIGINT');
  const terminate = () => stopOn('SIGTERM');
  const stopOn = (signal: 'SIGINT' | 'SIGTERM') => {
    name = signal;
    stopListening();
    controller.abort();
  };
  signals.on('SIGINT', raise);
  signals.on('SIGTERM', terminate);
  return { signal: controller.signal, name: () => name, raise, stopListening };
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
