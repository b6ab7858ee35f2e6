import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { RpcError } from './rpc.ts';

const MAX_ID_CHARS = 256;
/** The generic skill of the runtime's card; the workflow is named in `workflow_id`. */
export const RUN_WORKFLOW = 'run-workflow';

/** A parsed message. */
export interface Message {
  readonly messageId: string;
  /** Task to which the message belongs; null = start a new one. */
  readonly taskId: string | null;
  readonly contextId: string | null;
  readonly workflowId: string | null;
  readonly workflowVersion: string | null;
  /** The merged data parts, with the text parts in `text`. */
  readonly content: JsonObject;
}

/**
 * Reads a message with parts in either form (`{kind: "text", text}` or `{text}`). The workflow is named in the metadata of the message or of
 * the request (`workflow_id`, or `skill` if it is not the generic one), or in a data part `{workflow_id, workflow_version?, input?}`. Throws
 * `RpcError`.
 */
export function readMessage(params: JsonObject): Message {
  const { message } = params;
  if (!isObject(message)) throw invalid('message is required');
  if (!Array.isArray(message.parts) || message.parts.length === 0) throw invalid('message.parts must hold at least one part');
  const content = contentOf(message.parts as readonly Json[]);
  const metadata = { ...objectOf(params.metadata), ...objectOf(message.metadata) };
  const named = workflowFrom(metadata);
  const inPart = named === null ? nonEmptyText(content.workflow_id) : null;
  return {
    messageId: idOf('message.messageId', message.messageId) ?? required('message.messageId'),
    taskId: idOf('message.taskId', message.taskId),
    contextId: idOf('message.contextId', message.contextId),
    workflowId: named ?? inPart,
    workflowVersion: nonEmptyText(metadata.workflow_version) ?? (inPart === null ? null : nonEmptyText(content.workflow_version)),
    content: inPart === null ? content : inputOf(content),
  };
}

function workflowFrom(metadata: JsonObject): string | null {
  const skill = nonEmptyText(metadata.skill) ?? nonEmptyText(metadata.skill_id);
  return nonEmptyText(metadata.workflow_id) ?? (skill === RUN_WORKFLOW ? null : skill);
}

/** The input from a data part that names the workflow: its `input` merged with the other fields, else all other fields. */
function inputOf({ workflow_id: _, workflow_version: __, ...rest }: JsonObject): JsonObject {
  const { input, ...beside } = rest;
  return isObject(input) ? { ...beside, ...input } : rest;
}

function contentOf(parts: readonly Json[]): JsonObject {
  const texts: string[] = [];
  let content: JsonObject = {};
  for (const part of parts) {
    if (!isObject(part)) throw invalid('a part must be a JSON object');
    if (isObject(part.data)) content = { ...content, ...part.data };
    else if (typeof part.text === 'string') texts.push(part.text);
    else if (part.data !== undefined) throw unsupported('a data part must hold a JSON object');
    else throw unsupported('only text and data parts are supported');
  }
  return texts.length === 0 ? content : { text: texts.join('\n'), ...content };
}

function idOf(name: string, given: Json | undefined): string | null {
  if (given === undefined || given === null || given === '') return null;
  if (typeof given !== 'string' || given.length > MAX_ID_CHARS)
    throw invalid(`${name} must be text of at most ${MAX_ID_CHARS} characters`);
  return given;
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function nonEmptyText(value: Json | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function required(name: string): never {
  throw invalid(`${name} is required`);
}

function invalid(message: string): RpcError {
  return new RpcError('INVALID_PARAMS', message);
}

function unsupported(message: string): RpcError {
  return new RpcError('CONTENT_TYPE_NOT_SUPPORTED', message);
}
