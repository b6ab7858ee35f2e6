import { appendedIn, partAt, pathOf } from '../../../../machines/appended-lists.ts';
import { MAX_JOURNAL_CHARS } from '../../../../machines/journal.ts';
import type { Json, JsonObject } from '../../../../machines/json.ts';
import { charsUpTo } from '../../../../machines/json-size.ts';
import type { Done, Message, Operations, Visit } from '../../../../machines/messages.ts';
import type { Refused, Run, StepEnv, StepResult } from '../../../../machines/run.ts';
import type { Context } from '../../../../machines/step/context/context.ts';
import { start, step } from '../../../../machines/step/index.ts';
import type { Program } from '../../../../machines/step/program.ts';
import { RuntimeError } from '../../errors.ts';
import { bufferedBytes, bytesAfterStep, bytesByItems, bytesHeldBy, recordUpperBound } from './execution-size.ts';
import { LIMITS } from './limits.ts';

const MAX_CHAR_BYTES = 6;

/** A limit that a step would exceed. `errorClass` is the error class of the failed node, or the code of the refused request. */
interface Excess {
  readonly errorClass: 'state_too_large' | 'output_too_large';
  readonly text: string;
}

/**
 * Takes a step within the size limits of an execution. A result that exceeds them fails its node without retry, and so does what a durable function exposes. An event, an
 * update, a decision, a fork or what a worker commits that exceeds them is refused with the error, and changes nothing. Any other message that exceeds them (e.g.
 * a timer that lets a join copy large outputs) throws, like a step that fails. A step is taken if it does not grow what exceeds a
 * limit already.
 */
export function stepWithinLimits(
  program: Program,
  run: Run,
  message: Message,
  env: StepEnv,
): StepResult | Refused | RuntimeError {
  const output = outputExcess(message);
  if (output !== null) return stepOrThrow(program, run, failureFor(message, output), env);
  const stepped = step(program, run, message, env);
  if ('refused' in stepped) return stepped;
  if (message.type === 'event' && stepped.node === null) {
    const refused = bufferRefusal(run, stepped.run);
    if (refused !== null) return refused;
  }
  const excess = stepExcess(run, stepped) ?? (isOfWorker(run, message) ? journalExcess(message, stepped) : null);
  if (excess === null) return stepped;
  if (
    message.type === 'event' ||
    message.type === 'update' ||
    message.type === 'decide' ||
    message.type === 'fork' ||
    isOfWorker(run, message)
  )
    return new RuntimeError(excess.errorClass, excess.text);
  return stepOrThrow(program, run, failureFor(message, excess), env);
}

/** Operations of an external worker are a request. */
function isOfWorker(run: Run, message: Message): message is Operations {
  return message.type === 'operations' && (run.snapshot.context as Context).active.get(message.node)?.local !== true;
}

/** A function in this process ends by itself when its results are too large. */
function journalExcess({ node, entries }: Operations, { run }: StepResult): Excess | null {
  const { chars = 0 } = (run.snapshot.context as Context).active.get(node)?.journal ?? {};
  return entries.length === 0 ? null : excessOf('state_too_large', 'the journal of the function', chars, MAX_JOURNAL_CHARS);
}

/** Throws if the step exceeds the limits. */
function stepOrThrow(program: Program, run: Run, message: Message, env: StepEnv): StepResult | Refused {
  const stepped = step(program, run, message, env);
  if ('refused' in stepped) return stepped;
  const excess = stepExcess(run, stepped);
  if (excess !== null) throw new RuntimeError(excess.errorClass, excess.text);
  return stepped;
}

/** The failure to step instead of a result. Throws when the message is not of the work of a node. */
function failureFor(message: Message, { errorClass, text }: Excess): Message {
  if (message.type !== 'done' && message.type !== 'child' && message.type !== 'operations')
    throw new RuntimeError(errorClass, text);
  const { node, activation, attempt, item }: Visit = message;
  return { type: 'fail', node, activation, attempt, item, error: `${errorClass}: ${text}`, errorClass, retryable: false };
}

/** The first step of an execution, whose state is its input. */
export function startWithinLimits(program: Program, input: Json, env: StepEnv): StepResult | RuntimeError {
  const bytes = bytesUpTo(input, LIMITS.stateBytes);
  const excess = excessOf('state_too_large', 'the input', bytes, LIMITS.stateBytes);
  if (excess !== null) return new RuntimeError(excess.errorClass, excess.text);
  const started = start(program, input, env);
  recordUpperBound(started.run, bytes);
  const events = stepExcess(started.run, started);
  return events === null ? started : new RuntimeError(events.errorClass, events.text);
}

function outputExcess(message: Message): Excess | null {
  if (message.type === 'done') return valueExcess('the output', message.output) ?? patchExcess(message);
  if (message.type === 'child' && message.change.status === 'completed')
    return valueExcess('the final state of the child', message.change.result);
  return null;
}

function patchExcess({ patch }: Done): Excess | null {
  return patch === undefined ? null : valueExcess('the state patch', patch);
}

function valueExcess(what: string, value: Json): Excess | null {
  return excessOf('output_too_large', what, bytesUpTo(value, LIMITS.outputBytes), LIMITS.outputBytes);
}

/** An upper bound, exact near the limit: nearly every value is far below. */
function bytesUpTo(value: Json, limit: number): number {
  const chars = charsUpTo(value, limit);
  const atMost = chars * MAX_CHAR_BYTES;
  return chars > limit || atMost <= limit ? atMost : bytesByItems(value);
}

function stepExcess(before: Run, { run, events }: StepResult): Excess | null {
  let chars = 0;
  for (const { data } of events) {
    if (data.appended !== undefined) chars += appendedChars(run, data);
    chars += charsUpTo(withoutInput(data), LIMITS.stepBytes);
    if (chars > LIMITS.stepBytes) return excessOf('state_too_large', 'the events of one step', chars, LIMITS.stepBytes);
  }
  const now = bytesAfterStep(before, run, chars);
  if (now === null || (now.state <= LIMITS.stateBytes && now.pendingInput <= LIMITS.pendingInputBytes)) return null;
  const was = bytesHeldBy(before);
  return (
    (now.state > was.state ? excessOf('state_too_large', 'the state', now.state, LIMITS.stateBytes) : null) ??
    (now.pendingInput > was.pendingInput
      ? excessOf('state_too_large', 'the outputs on their way to other nodes', now.pendingInput, LIMITS.pendingInputBytes)
      : null)
  );
}

/** The run may hold the lists once more than the events do: as outputs on their way to other nodes. */
function appendedChars(run: Run, data: JsonObject): number {
  const { state } = run.snapshot.context as Context;
  let chars = 0;
  for (const pointer in appendedIn(data)) chars += charsUpTo(partAt(state, pathOf(pointer)) ?? null, LIMITS.stepBytes);
  return chars;
}

/** A recorded input adds nothing to what the execution holds, and its size has a limit of its own. That of the execution is known. */
function withoutInput(data: JsonObject): JsonObject {
  if (data.input === undefined && data.initial_input === undefined) return data;
  const { input: _input, initial_input: _initialInput, ...rest } = data;
  return rest;
}

/** The refusal of an event that would be buffered, if the buffer or the log is full. */
function bufferRefusal(before: Run, after: Run): RuntimeError | null {
  if (before.seq >= LIMITS.logEvents)
    return new RuntimeError(
      'too_many_events',
      `the log has ${before.seq} events: it takes no more external events that no node waits for`,
    );
  const { earlyEvents: early } = after.snapshot.context as Context;
  if (early.length <= (before.snapshot.context as Context).earlyEvents.length) return null;
  if (early.length > LIMITS.bufferedEvents)
    return new RuntimeError(
      'too_many_events',
      `${LIMITS.bufferedEvents} events are buffered already, and no node waits for them`,
    );
  const excess = excessOf('state_too_large', 'the buffered events', bufferedBytes(after), LIMITS.bufferedBytes);
  return excess === null ? null : new RuntimeError(excess.errorClass, excess.text);
}

function excessOf(errorClass: Excess['errorClass'], what: string, bytes: number, limit: number): Excess | null {
  if (bytes <= limit) return null;
  return { errorClass, text: `${what} would be larger than ${limit / 1024 / 1024} MiB` };
}
