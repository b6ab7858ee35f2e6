import { optional } from '../reading/fields.ts';
import type { NormalForm } from './field.ts';
import { byRuntime, integer, name, number, object, text } from './fields.ts';
import type { DeclaredModel } from './kind.ts';
import { declaredNameOf, namesOfModel } from './model-names.ts';

// What nodes that ask a model say of the thread that they continue.

/** Messages of a thread that a model is given, at most, unless the node says otherwise. */
export const DEFAULT_MAX_MESSAGES = 100;
const MAX_MESSAGES = 1_000;

const SUMMARISE = {
  model: name('Model that summarises: a name as in the `model` of a node.', { required: true }),
  keep: integer(
    'Messages, at most, that the model is given as they are, after the summary: the last ones. Less than `max_messages`.',
    {
      minimum: 1,
      maximum: MAX_MESSAGES - 1,
      required: true,
    },
  ),
  declared: byRuntime('The model that `models` names. Set by the runtime.', {
    provider: name('Provider.', { required: true }),
    model: name('Its name there.', { required: true }),
    temperature: number('Temperature.', { minimum: 0 }),
    max_tokens: integer('Tokens of the summary, at most.', { minimum: 1 }),
  }),
};
export type Summarise = NormalForm<typeof SUMMARISE>;

export const THREAD = {
  thread: text(
    'Id of the thread that the conversation continues; may hold templates. The model is given its last messages, and the messages of the turn are appended to it when the node completes.',
    { distinctive: true },
  ),
  max_messages: integer(
    `Messages of the thread that the model is given, at most: the last ones. Default: ${DEFAULT_MAX_MESSAGES}. Of an agent without a thread: messages of earlier tasks that its conversation keeps; default: all.`,
    { minimum: 1, maximum: MAX_MESSAGES, distinctive: true },
  ),
  summarise: object(
    'When the thread has more than `max_messages` messages that are in no summary, all but the last ones are summarised. The summary is kept with the thread, and stands before its messages. Default: earlier messages are left out.',
    SUMMARISE,
    { spellings: ['summarise', 'summarize'], distinctive: true },
  ),
};

/** What a node says of its thread. */
export interface ThreadFields {
  readonly thread?: string;
  readonly max_messages?: number;
  readonly summarise?: Summarise;
}

/** Names of the model that summarises, as policies may have them; none without one. */
export function summariserNames({ summarise }: ThreadFields): readonly (readonly string[])[] {
  return summarise === undefined ? [] : [namesOfModel(declaredNameOf(summarise.model, summarise.declared))];
}

/** The name that `models` of the workflow may declare; none without a summary. */
export function catalogSummariser({ summarise }: ThreadFields): readonly string[] {
  return summarise === undefined ? [] : [summarise.model];
}

/** The fields with the model that is declared under the name. */
export function withSummariser<K extends ThreadFields>(kind: K, named: string, declared: DeclaredModel): K {
  const { summarise } = kind;
  if (summarise?.model !== named) return kind;
  const { provider, model, temperature, max_tokens } = declared;
  return Object.assign({}, kind, {
    summarise: {
      model: summarise.model,
      keep: summarise.keep,
      declared: { provider, model, ...optional('temperature', temperature), ...optional('max_tokens', max_tokens) },
    },
  });
}
