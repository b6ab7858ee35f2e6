import { isMap, isScalar, isSeq, type Node } from 'yaml';
import type { Json } from '../../machines/json.ts';
import { MapReader, textOf } from './map-reader.ts';
import { type Field, jsonOf, offsetOf, resolveAliases } from './values.ts';

/** What the world answers a node in a test. */
export type Reply =
  | { readonly type: 'output'; readonly output: Json }
  | { readonly type: 'fail'; readonly error: string; readonly retryable: boolean; readonly errorClass: string | null }
  | {
      readonly type: 'decide';
      readonly decision: 'approved' | 'rejected';
      readonly userId: string;
      readonly comment: string | null;
      readonly patch: Json;
    }
  /** `early`: before the node waits for it; `late`: after its time is over. */
  | { readonly type: 'event'; readonly payload: Json; readonly at: EventTime }
  | { readonly type: 'timeout' };

const EVENT_TIMES = ['early', 'on_time', 'late'] as const;
export type EventTime = (typeof EVENT_TIMES)[number];

/** The word that makes a map an answer, and what may stand beside it. A map with any other key is an output as it is. */
const ANSWERS: Readonly<Record<string, readonly string[]>> = {
  output: [],
  fail: ['retryable', 'error_class'],
  approve: [],
  reject: [],
  event: ['at'],
  timeout: [],
};

/** Which answers a kind of node can get; a kind that is not here is work. */
const ANSWERABLE: Readonly<Record<string, readonly string[]>> = {
  human_approval: ['approve', 'reject', 'timeout'],
  wait: ['event', 'timeout'],
};
const WORK = ['output', 'fail', 'approve', 'reject'];

export interface ReplyContext {
  /** The kind of the node that is answered. */
  readonly kind: string;
  readonly parent: MapReader;
  problem(message: string, at: number, hint: string | null): void;
}

/** One answer, or one for each attempt and visit in order: the last stays. */
export function readReplies(field: Field, answered: ReplyContext): readonly Reply[] {
  const { value } = field;
  const items = isSeq(value) ? value.items : [value];
  if (items.length === 0) answered.problem(`the results of "${field.key}" are an empty list`, field.at, null);
  return items.flatMap((item) => replyOf(resolveAliases(item, answered.parent.source), field, answered) ?? []);
}

function replyOf(node: Node | null, field: Field, answered: ReplyContext): Reply | null {
  const { parent, kind } = answered;
  const at = node === null ? field.at : offsetOf(node);
  const word = isScalar(node) ? textOf(node) : null;
  const possible = ANSWERABLE[kind] ?? WORK;
  const section = isMap(node) ? new MapReader(node, at, `result of "${field.key}"`, parent.source) : null;
  const answer = section === null ? bare(word, possible) : answerOf(section);
  if (answer === null) {
    if (possible === WORK) return { type: 'output', output: jsonOf(node, parent.source) };
    answered.problem(`"${field.key}" is answered by ${listAnswers(possible)}`, at, `write ${field.key}: ${example(kind)}`);
    return null;
  }
  if (!possible.includes(answer)) {
    const hint = possible === WORK ? `an output of that form is written as {output: {${answer}: …}}` : `write ${example(kind)}`;
    answered.problem(`"${field.key}" is answered by ${listAnswers(possible)}, not by ${answer}`, at, hint);
    return null;
  }
  return section === null ? plainReply(answer) : mapReply(answer, section, answered);
}

/** `approve`, `reject` and `timeout` may stand alone where they cannot be an output. */
function bare(word: string | null, possible: readonly string[]): string | null {
  return word !== null && ['approve', 'reject', 'timeout'].includes(word) && possible !== WORK ? word : null;
}

function answerOf(section: MapReader): string | null {
  const keys = section.fields.map(({ key }) => key);
  const [answer, ...others] = keys.filter((key) => Object.hasOwn(ANSWERS, key));
  if (answer === undefined || others.length > 0) return null;
  return keys.every((key) => key === answer || ANSWERS[answer]?.includes(key)) ? answer : null;
}

function plainReply(answer: string): Reply {
  if (answer === 'timeout') return { type: 'timeout' };
  return decided(answer === 'approve' ? 'approved' : 'rejected', null);
}

function mapReply(answer: string, section: MapReader, answered: ReplyContext): Reply | null {
  const value = section.json(answer)?.value ?? null;
  switch (answer) {
    case 'output':
      return { type: 'output', output: value };
    case 'fail': {
      const retryable = section.json('retryable')?.value ?? true;
      const errorClass = section.text('error_class')?.value ?? null;
      if (typeof retryable !== 'boolean') answered.problem('"retryable" must be true or false', section.at, null);
      return { type: 'fail', error: typeof value === 'string' ? value : 'failed', retryable: retryable !== false, errorClass };
    }
    case 'event': {
      const written = section.text('at');
      const at = EVENT_TIMES.find((time) => time === (written?.value ?? 'on_time'));
      if (at === undefined) answered.problem(`"at" is one of ${EVENT_TIMES.join(', ')}`, written?.at ?? section.at, null);
      return { type: 'event', payload: value, at: at ?? 'on_time' };
    }
    case 'timeout':
      return { type: 'timeout' };
    default: {
      const more = section.find(answer);
      const said = more !== null && isMap(more.value) ? new MapReader(more.value, more.at, answer, section.source) : null;
      const reply = decided(answer === 'approve' ? 'approved' : 'rejected', said);
      said?.warnOfUnread();
      return reply;
    }
  }
}

function decided(decision: 'approved' | 'rejected', said: MapReader | null): Reply {
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

function example(kind: string): string {
  return kind === 'wait' ? '{ event: { … } } or { timeout: true }' : 'approve, reject, or { approve: { comment: … } }';
}
