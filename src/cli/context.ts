import type { Readable, Writable } from 'node:stream';

/** The part of `process` that signals come through. */
export interface Signals {
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  off(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
}

export type Input = Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

/** What a command may touch of the process it runs in; tests bring their own. */
export interface Context {
  readonly env: Record<string, string | undefined>;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly signals: Signals;
  /** The folder relative paths start from. */
  readonly cwd: string;
  /** Clipanion's own colours: never used, terminal/paint.ts decides per stream. */
  readonly colorDepth: number;
}

export interface Interrupt {
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** Ctrl-C read as a key, where a prompt holds the terminal in raw mode. */
  readonly raise: () => void;
  readonly stopListening: () => void;
}

/** Listens until the first signal or `ignore()`: the second Ctrl-C finds the default handler and ends the process at once. */
export function listenForInterrupt(signals: Signals): Interrupt {
  const controller = new AbortController();
  const stopListening = () => {
    signals.off('SIGINT', raise);
    signals.off('SIGTERM', raise);
  };
  const raise = () => {
    stopListening();
    controller.abort();
  };
  signals.on('SIGINT', raise);
  signals.on('SIGTERM', raise);
  return { signal: controller.signal, raise, stopListening };
}
