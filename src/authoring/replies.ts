import type { Node } from 'yaml';
import { RESULT_ROLES, type ResultRole } from '../../machines/graph/edges.ts';
import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import type { Usage } from '../../machines/messages.ts';
import type { Kind } from '../../machines/nodes/index.ts';
import type { KindDefinition } from '../../machines/nodes/kind.ts';
import { MapReader, scalarText } from './map-reader.ts';
import { isMap, isScalar, isSeq } from './tree.ts';
import { type Field, jsonOf, offsetOf, resolveAliases } from './values.ts';

/** What a node is answered in a test: the result of its work, a decision, an event, or that its time is over. */
export type Reply =
  | {
      readonly type: 'output';
      readonly output: Json;
      readonly route?: ResultRole;
      readonly usage?: Usage;
      readonly toolCalls?: readonly JsonObject[];
    }
  | { readonly type: 'fail'; readonly error: string; readonly retryable: boolean; readonly errorClass: string | null }
  | {
      readonly type: 'decide';
      readonly decision: 'approved' | 'rejected';
      readonly userId: string;
      readonly comment: string | null;
      readonly patch: Json;
    }
  /** `early`: before the node waits for it; `late`: after the node has timed out. */
  | { readonly type: 'event'; readonly payload: Json; readonly at: EventTime }
  | { readonly type: 'timeout' };

const EVENT_TIMES = ['early', 'on_time', 'late'] as const;
export type EventTime = (typeof EVENT_TIMES)[number];

/** The key that makes a map an answer, and the keys that may stand beside it. A map with any other key is an output. */
const ANSWERS: Readonly<Record<string, readonly string[]>> = {
  output: ['route', 'usage', 'tool_calls'],
  tool_calls: ['usage'],
  fail: ['retryable', 'error_class'],
  approve: [],
  reject: [],
  event: ['at'],
  timeout: [],
};

/** What a node can be answered: the end of its work, a decision or an event. */
export type Answerable = Exclude<KindDefinition<Kind>['testReplies'], 'none'>;

/** The answers that a node can get; work that needs an approval is approved or rejected too. */
const POSSIBLE: Readonly<Record<Answerable, readonly string[]>> = {
  work: ['output', 'fail', 'approve', 'reject'],
  model: ['output', 'tool_calls', 'fail', 'approve', 'reject'],
  decision: ['approve', 'reject', 'timeout'],
  event: ['event', 'timeout'],
};

const EXAMPLES: Readonly<Record<Answerable, string>> = {
  work: '{ output: { … } }',
  model: '{ output: … } or { tool_calls: [{ name: … }] }',
  decision: 'approve, reject, or { approve: { comment: … } }',
  event: '{ event: { … } } or { timeout: true }',
};

export interface ReplyContext {
  readonly answerable: Answerable;
  readonly parent: MapReader;
  problem(message: string, at: number, hint: string | null): void;
}

/** One answer, or a list of them, one for each attempt and visit in order; the last one stays. */
export function readReplies(field: Field, answered: ReplyContext): readonly Reply[] {
  const { value } = field;
  const items = isSeq(value) ? value.items : [value];
  if (items.length === 0) answered.problem(`the results of "${field.key}" are an empty list`, field.offset, null);
  return items.flatMap((item) => readReply(resolveAliases(item, answered.parent.source), field, answered) ?? []);
}

function readReply(node: Node | null, field: Field, answered: ReplyContext): Reply | null {
  const { parent, answerable } = answered;
  const at = node === null ? field.offset : offsetOf(node);
  const word = isScalar(node) ? scalarText(node) : null;
  const possible = POSSIBLE[answerable];
  const reader = isMap(node) ? new MapReader(node, at, `result of "${field.key}"`, parent.source) : null;
  const isWork = answerable === 'work' || answerable === 'model';
  const answer = reader === null ? bareReply(word, isWork) : answerKey(reader, answerable);
  if (answer === null) {
    if (isWork) return { type: 'output', output: jsonOf(node, parent.source) };
    answered.problem(`"${field.key}" is answered by ${listAnswers(possible)}`, at, `write ${field.key}: ${EXAMPLES[answerable]}`);
    return null;
  }
  if (!possible.includes(answer)) {
    const hint = isWork ? `an output of that form is written as {output: {${answer}: …}}` : `write ${EXAMPLES[answerable]}`;
    answered.problem(`"${field.key}" is answered by ${listAnswers(possible)}, not by ${answer}`, at, hint);
    return null;
  }
  return reader === null ? plainReply(answer) : mapReply(answer, reader, answered);
}

/** `approve`, `reject` and `timeout` need no map where they cannot be an output. */
function bareReply(word: string | null, isWork: boolean): string | null {
  return word !== null && ['approve', 'reject', 'timeout'].includes(word) && !isWork ? word : null;
}

function answerKey(reader: MapReader, answerable: Answerable): string | null {
  const keys = reader.fields.map(({ key }) => key);
  // Only a model asks for tools; what other work gives under that name is its output.
  const answers = Object.keys(ANSWERS).filter((key) => keys.includes(key) && (key !== 'tool_calls' || answerable === 'model'));
  return answers.find((answer) => keys.every((key) => key === answer || ANSWERS[answer]?.includes(key))) ?? null;
}

function plainReply(answer: string): Reply {
  if (answer === 'timeout') return { type: 'timeout' };
  return decision(answer === 'approve' ? 'approved' : 'rejected', null);
}

function mapReply(answer: string, reader: MapReader, answered: ReplyContext): Reply | null {
  const value = reader.json(answer)?.value ?? null;
  switch (answer) {
    case 'output': {
      const written = reader.text('route');
      const more = { ...usageOf(reader, answered), ...toolCallsOf(reader, answered) };
      if (written === null) return { type: 'output', output: value, ...more };
      const route = RESULT_ROLES.find((role) => role === written.value);
      if (route === undefined) {
        answered.problem(`"route" is one of ${listAnswers(RESULT_ROLES)}`, written.offset, null);
        return null;
      }
      return { type: 'output', output: value, route, ...more };
    }
    case 'tool_calls':
      return { type: 'output', output: '', ...usageOf(reader, answered), ...toolCallsOf(reader, answered) };
    case 'fail': {
      const retryable = reader.json('retryable')?.value ?? true;
      const errorClass = reader.text('error_class')?.value ?? null;
      if (typeof retryable !== 'boolean') answered.problem('"retryable" must be true or false', reader.offset, null);
      return { type: 'fail', error: typeof value === 'string' ? value : 'failed', retryable: retryable !== false, errorClass };
    }
    case 'event': {
      const written = reader.text('at');
      const at = EVENT_TIMES.find((time) => time === (written?.value ?? 'on_time'));
      if (at === undefined) answered.problem(`"at" is one of ${EVENT_TIMES.join(', ')}`, written?.offset ?? reader.offset, null);
      return { type: 'event', payload: value, at: at ?? 'on_time' };
    }
    case 'timeout':
      return { type: 'timeout' };
    default: {
      const more = reader.find(answer);
      const said = more !== null && isMap(more.value) ? new MapReader(more.value, more.offset, answer, reader.source) : null;
      const reply = decision(answer === 'approve' ? 'approved' : 'rejected', said);
      said?.warnAboutUnread();
      return reply;
    }
  }
}

const USAGE_COUNTS = ['input_tokens', 'output_tokens', 'cost_usd'] as const;

function usageOf(reader: MapReader, { problem }: ReplyContext): { readonly usage?: Usage } {
  const field = reader.json('usage');
  if (field === null) return {};
  const { value } = field;
  const isUsage =
    isObject(value) &&
    Object.entries(value).every(
      ([key, count]) => USAGE_COUNTS.some((known) => known === key) && typeof count === 'number' && count >= 0,
    );
  if (isUsage) return { usage: value };
  problem(`"usage" may have ${listAnswers(USAGE_COUNTS)}, each a number`, field.offset, null);
  return {};
}

/** `[{name, arguments, id}]`; without an id, `call_1`, `call_2` … */
function toolCallsOf(reader: MapReader, { problem }: ReplyContext): { readonly toolCalls?: readonly JsonObject[] } {
  const field = reader.json('tool_calls');
  if (field === null) return {};
  const listed: readonly Json[] = Array.isArray(field.value) ? field.value : [];
  const calls = listed.flatMap((call, i) => {
    if (!isObject(call) || typeof call.name !== 'string') return [];
    const { id = `call_${i + 1}`, name, arguments: given = {} } = call;
    return [{ id, name, arguments: given }];
  });
  if (listed.length === 0 || calls.length < listed.length)
    problem('"tool_calls" must be a list of {name, arguments}', field.offset, null);
  return { toolCalls: calls };
}

function decision(decision: 'approved' | 'rejected', said: MapReader | null): Reply {
  return {
    type: 'decide',
    decision,
    userId: said?.text('user', 'user_id')?.value ?? 'tester',
    comment: said?.text('comment')?.value ?? null,
    patch: said?.json('state_patch', 'patch')?.value ?? null,
  };
}

function listAnswers(answers: readonly string[]): string {
  return answers.map((answer) => `"${answer}"`).join(', ');
}
