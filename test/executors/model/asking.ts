import type { ServerResponse } from 'node:http';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { Json, JsonObject } from '../../../machines/json.ts';
import type { Model } from '../../../machines/nodes/model.ts';
import type { WorkResult } from '../../../src/executors/executor.ts';
import { modelExecutor } from '../../../src/executors/model/index.ts';
import type { ModelSettings } from '../../../src/executors/model/settings.ts';
import { contextWith, workWith } from '../work.ts';

export interface Asking {
  readonly settings: ModelSettings;
  readonly signal?: AbortSignal;
  readonly allowlist?: readonly string[];
  /** `models` of the workflow. */
  readonly declared?: JsonObject;
}

/** A model node in normal form. */
export function modelNode(kind: JsonObject, declared: JsonObject = {}): Model {
  const document = { workflow_id: 'w', version: '1', models: declared, nodes: { n: { kind: { type: 'model', ...kind } } } };
  const [node] = normalise(document).workflow.nodes;
  if (node?.kind.type !== 'model') throw new Error('no model node');
  return node.kind;
}

/** Asks a model once, with the node's prompts as they are rendered, or with `messages`. */
export async function ask(
  kind: JsonObject,
  { settings, signal, allowlist = [], declared }: Asking,
  messages?: Json,
): Promise<WorkResult> {
  const node = modelNode(kind, declared);
  const { prompt_ref, system_prompt } = node;
  const input = {
    ...(prompt_ref === '' ? { messages: messages ?? null } : { prompt_ref }),
    ...(system_prompt === undefined ? {} : { system_prompt }),
  };
  const executor = modelExecutor(node, { settings, allowlistOf: async () => allowlist });
  return executor(workWith(input), contextWith(signal === undefined ? {} : { signal }));
}

export function reply(response: ServerResponse, body: Json, status = 200, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** An answer as Chat Completions write it. */
export function chatAnswer(message: JsonObject, finish_reason = 'stop', usage: JsonObject = {}): JsonObject {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_767_225_600,
    model: 'gpt-4o-2024-08-06',
    choices: [{ index: 0, message: { role: 'assistant', content: null, ...message }, finish_reason }],
    usage: { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100, ...usage },
  };
}
