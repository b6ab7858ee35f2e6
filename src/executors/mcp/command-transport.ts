import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { getDefaultEnvironment } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ReadBuffer, serializeMessage } from '@modelcontextprotocol/sdk/shared/stdio.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import type { CommandEndpoint } from './endpoint.ts';
import { MAX_REPLY_BYTES } from './reply-limit.ts';

/** How long a command may take to end after the end of its input, and again after SIGTERM. */
const GRACE_MS = 2_000;
/** Windows has no process groups: there the command alone is ended. */
const HAS_GROUPS = process.platform !== 'win32';

/** Commands that run, to be killed with this process. */
const running = new Set<ChildProcess>();
const killAll = (): void => {
  for (const command of running) signalGroup(command, 'SIGKILL');
};

/**
 * A server on the standard streams of a command. The command leads a process group of its own, which ends as a whole: what `npx` or a shell has
 * started does not outlive it.
 */
export class CommandTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly #endpoint: CommandEndpoint;
  readonly #onExit: () => void;
  readonly #received = new ReadBuffer({ maxBufferSize: MAX_REPLY_BYTES });
  #command: (ChildProcess & { readonly stdin: Writable; readonly stdout: Readable }) | null = null;
  #closing: Promise<void> | null = null;

  /** `onExit`: the command has ended, and takes no more messages; `onclose` follows once its group has ended and its last messages are read. */
  constructor(endpoint: CommandEndpoint, onExit: () => void) {
    this.#endpoint = endpoint;
    this.#onExit = onExit;
  }

  async start(): Promise<void> {
    const { command: file, args, env } = this.#endpoint;
    // What a command writes to the error stream may hold secrets, and belongs to no log.
    const stdio: ['pipe', 'pipe', 'ignore'] = ['pipe', 'pipe', 'ignore'];
    const command = spawn(file, [...args], { env: { ...getDefaultEnvironment(), ...env }, stdio, detached: HAS_GROUPS });
    this.#command = command;
    command.stdin.on('error', (error) => this.onerror?.(error));
    command.stdout.on('error', (error) => this.onerror?.(error));
    command.stdout.on('data', (chunk: Buffer) => this.#receive(chunk));
    // Not when its output ends, which processes that it has left behind may hold open.
    command.once('exit', () => {
      this.#onExit();
      void this.close();
    });
    await once(command, 'spawn');
    command.on('error', (error) => this.onerror?.(error));
    if (running.size === 0) process.on('exit', killAll);
    running.add(command);
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const command = this.#command;
    if (command === null || this.#closing !== null) throw new Error('Not connected');
    if (!command.stdin.write(serializeMessage(message))) await once(command.stdin, 'drain');
  }

  /** Resolves once the command and all of its group have ended. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const command = this.#command;
    if (command?.pid !== undefined) {
      command.stdin.end();
      if (command.exitCode === null && command.signalCode === null) await within(GRACE_MS, once(command, 'exit'));
      if (signalGroup(command, 'SIGTERM')) await groupHasEnded(command, GRACE_MS);
      signalGroup(command, 'SIGKILL');
      running.delete(command);
      if (running.size === 0) process.off('exit', killAll);
      // Its last messages may still have to be read.
      if (!command.stdout.closed) await within(GRACE_MS, once(command.stdout, 'close'));
    }
    this.#received.clear();
    this.onclose?.();
  }

  #receive(chunk: Buffer): void {
    try {
      this.#received.append(chunk);
      for (let message = this.#next(); message !== null; message = this.#next()) this.onmessage?.(message);
    } catch (error) {
      this.onerror?.(error as Error);
      void this.close();
    }
  }

  /** The next message; what is none is reported and passed over. Null = there is no whole line. */
  #next(): JSONRPCMessage | null {
    for (;;) {
      try {
        return this.#received.readMessage();
      } catch (error) {
        this.onerror?.(error as Error);
      }
    }
  }
}

/** Resolves with the event, or when the time is over. */
async function within(ms: number, event: Promise<unknown>): Promise<void> {
  await Promise.race([event, new Promise((resolve) => setTimeout(resolve, ms).unref())]);
}

/** The system does not report the end of processes that are no children of this one, so it is polled. */
async function groupHasEnded(command: ChildProcess, withinMs: number): Promise<void> {
  const untilMs = performance.now() + withinMs;
  while (signalGroup(command, 0) && performance.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** False = no process of the group is left. */
function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(HAS_GROUPS ? -pid : pid, signal);
  } catch {
    return false;
  }
}
