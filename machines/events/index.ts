import type { Static } from 'typebox';
import type { Json, JsonObject } from '../json.ts';
import { AGENT_EVENTS } from './agent.ts';
import { CHILD_EVENTS } from './child.ts';
import type { EventDefinition } from './declaration.ts';
import { EXECUTION_EVENTS } from './execution.ts';
import { MAP_EVENTS } from './map.ts';
import { NODE_EVENTS } from './node.ts';
import { OPERATION_EVENTS } from './operation.ts';
import { POLICY_EVENTS } from './policy.ts';
import { PROGRESS_EVENTS } from './progress.ts';
import { STRATEGY_EVENTS } from './strategy.ts';
import { WAIT_EVENTS } from './wait.ts';

/** Every type of event in a log, in the order of docs/events.md. */
export const EVENTS = {
  ...EXECUTION_EVENTS,
  ...NODE_EVENTS,
  ...MAP_EVENTS,
  ...WAIT_EVENTS,
  ...CHILD_EVENTS,
  ...POLICY_EVENTS,
  ...STRATEGY_EVENTS,
  ...AGENT_EVENTS,
  ...PROGRESS_EVENTS,
  ...OPERATION_EVENTS,
} as const satisfies Readonly<Record<string, EventDefinition>>;

/** The type of an event. The API also spells it in PascalCase. */
export type EventType = keyof typeof EVENTS;
export const EVENT_TYPES = Object.keys(EVENTS) as readonly EventType[];

/** What an event of a type says, in snake_case. */
export type EventData<Type extends EventType> = JsonObject & Static<(typeof EVENTS)[Type]['data']>;

export type ProgressType = keyof typeof PROGRESS_EVENTS;

/** The data of the last event of each type that the attempts of a visit have logged. It is given to the later attempts. */
export type VisitProgress = Readonly<Partial<Record<ProgressType, JsonObject>>>;

export function isProgress(type: string): type is ProgressType {
  return Object.hasOwn(PROGRESS_EVENTS, type);
}

/** An event in an execution's log. `data` has the fields for readers, without the node id, and those that a replay needs. */
export interface LogEvent {
  /** 1, 2, 3 … without gaps. */
  readonly sequence: number;
  readonly type: EventType;
  readonly node_id: string | null;
  readonly data: { readonly [key: string]: Json };
}

/** `'node_completed'` → `'NodeCompleted'`. */
export type PascalCase<Text extends string> = Text extends `${infer Word}_${infer Rest}`
  ? `${Capitalize<Word>}${PascalCase<Rest>}`
  : Capitalize<Text>;

/** `node_completed` → `NodeCompleted`. */
export function pascalCase(type: string): string {
  return type.replace(/(?:^|_)([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}
