import type { Json, JsonObject } from '../../../machines/json.ts';
import { redactedData } from '../../../machines/redaction/redacted-event.ts';
import type { Redactor } from '../../../machines/redaction/redactor.ts';
import { type Run, type Status, TERMINAL } from '../../../machines/run.ts';
import { stateOf } from '../../../machines/step/index.ts';
import type { Program } from '../../../machines/step/program.ts';

/** What of a run may be shown: all of it, unless its workflow has a data policy. */
export interface ShownRun {
  readonly state: JsonObject;
  readonly input: Json;
  /** The data of an event of the execution. */
  event<T extends JsonObject>(data: T): T;
  /** For other values of the execution. */
  json<T extends Json>(value: T): T;
}

export function shownRun({ tables: { dataRules } }: Program, run: Run): ShownRun {
  const { input } = run;
  const state = stateOf(run);
  if (dataRules === null || run.isErased === true) return { state, input, event: (data) => data, json: (value) => value };
  const redactor = dataRules.stored([state, input]);
  return {
    state: dataRules.shownState(redactor, state, input),
    input: redactor.root(input),
    event: <T extends JsonObject>(data: T) => redactedData(redactor, data) as T,
    json: <T extends Json>(value: T) => redactor.json(value) as T,
  };
}

/** Has the execution ended under a data policy, which then erases what its log could be replayed from? */
export function isToBeErased({ tables: { dataRules } }: Program, status: string): boolean {
  return dataRules !== null && TERMINAL.has(status as Status);
}

/** Redacts what an attempt at a node writes; null = the workflow has no data policy. */
export function redactorAt({ tables: { dataRules } }: Program, run: Run, node: string | null): Redactor | null {
  return dataRules?.stored([stateOf(run), run.input], node) ?? null;
}
