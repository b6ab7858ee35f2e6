import { createWebSocketReceiver, type StatelyInspectionEvent } from '@statelyai/inspect';
import type { JsonObject } from '../../../machines/json.ts';

/** A received message, typed by the package but not validated. */
export type Received = StatelyInspectionEvent & JsonObject;

/** A viewer created by the @statelyai/inspect package. */
export class Receiver {
  readonly messages: Received[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(server: string) {
    createWebSocketReceiver({ server }).subscribe((message) => {
      this.messages.push(message as Received);
      for (const wake of this.#waiting) wake();
      this.#waiting.clear();
    });
  }

  /** Resolves when the received messages satisfy the condition. */
  async until(enough: (messages: readonly Received[]) => boolean): Promise<void> {
    while (!enough(this.messages))
      await new Promise<void>((wake) => {
        this.#waiting.add(wake);
      });
  }

  of(sessionId: string): Received[] {
    return this.messages.filter((message) => message.sessionId === sessionId);
  }
}

/** Whether the actor and all child executions that the messages tell of have ended. A child may start before its actor is announced. */
export function allDone(messages: readonly Received[]): boolean {
  const actors = messages.flatMap(({ type, sessionId }) => (type === '@xstate.actor' ? [sessionId] : []));
  const children = messages.flatMap(({ event }) => {
    const { type, childId, change } = (event ?? {}) as JsonObject;
    return type === 'child' && (change as JsonObject).status === 'started' ? [String(childId)] : [];
  });
  const isDone = (id: string): boolean =>
    snapshotOf(messages.findLast(({ sessionId, type }) => sessionId === id && type === '@xstate.snapshot')).status === 'done';
  return actors.length > 0 && [...actors, ...children].every(isDone);
}

export function snapshotOf(message: Received | undefined): JsonObject {
  return (message?.snapshot ?? {}) as JsonObject;
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isEvent = (value: unknown): boolean => isText((value as { type?: unknown } | null)?.type);
const isSnapshot = (value: unknown): boolean => {
  const { status, context, value: states } = (value ?? {}) as Record<string, unknown>;
  const isValue = isText(states) || (typeof states === 'object' && states !== null);
  return ['active', 'done', 'error', 'stopped'].includes(String(status)) && typeof context === 'object' && isValue;
};
const isMillis = (value: unknown): boolean => isText(value) && /^\d{13}$/.test(String(value));
const isMissing = (value: unknown): boolean => value === undefined;
const isConfig = (value: unknown): boolean => isText(value) && isText((JSON.parse(String(value)) as { id?: unknown }).id);

type Checks = Readonly<Record<string, (value: unknown) => boolean>>;

/** The id of a message is null on the wire, unlike in the types of 0.7.2. */
const BASE: Checks = {
  type: isText,
  sessionId: isText,
  rootId: isText,
  createdAt: isMillis,
  id: (value) => value === null,
  _version: (value) => value === '0.7.2',
};

/** The fields of each message type in @statelyai/inspect. */
export const SHAPES: Readonly<Record<string, Checks>> = {
  '@xstate.actor': {
    ...BASE,
    name: isText,
    definition: isConfig,
    parentId: (value) => isText(value) || isMissing(value),
    snapshot: isSnapshot,
  },
  '@xstate.event': { ...BASE, event: isEvent, sourceId: (value) => isText(value) || isMissing(value) },
  '@xstate.snapshot': { ...BASE, event: isEvent, snapshot: isSnapshot },
};

/** Missing, additional and mistyped fields of messages. */
export function shapeFaults(messages: readonly Received[]): readonly string[] {
  return messages.flatMap((message) => {
    const shape = SHAPES[message.type];
    if (shape === undefined) return [`${message.type} is no message`];
    const odd = Object.keys(message).filter((key) => shape[key] === undefined);
    const wrong = Object.entries(shape).filter(([key, check]) => !check(message[key]));
    return [...odd, ...wrong.map(([key]) => key)].map((key) => `${message.type}.${key}: ${JSON.stringify(message[key])}`);
  });
}
