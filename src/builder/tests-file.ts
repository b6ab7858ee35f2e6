import type { Json, JsonObject } from '../../machines/json.ts';
import { fileKey, mapValues, plainJson, toFileKeys } from './spelling.ts';

/** The `tests:` of a workflow file. */
export function testsFile(tests: readonly object[]): Json {
  return tests.map((test) =>
    Object.fromEntries(
      Object.entries(test).map(([key, value]): [string, Json] => {
        if (key === 'results') return [key, mapValues(value, replies)];
        return [fileKey(key), key === 'expect' ? toFileKeys(value) : plainJson(value)];
      }),
    ),
  );
}

/** Keys of an answer that a workflow file spells otherwise. */
const ANSWER_KEYS: Readonly<Record<string, string>> = { errorClass: 'error_class', toolCalls: 'tool_calls' };
/** What distinguishes an answer from an output with such keys. */
const ANSWERS = ['output', 'toolCalls', 'fail', 'approve', 'reject', 'event', 'timeout'];

function replies(given: unknown): Json {
  return Array.isArray(given) ? given.map(reply) : reply(given);
}

function reply(given: unknown): Json {
  if (typeof given !== 'object' || given === null || !ANSWERS.some((key) => key in given)) return plainJson(given);
  const entries = Object.entries(given).map(([key, value]): [string, Json] => {
    if (key === 'usage') return [key, toFileKeys(value)];
    if (key === 'approve' || key === 'reject') return [key, decision(value)];
    return [ANSWER_KEYS[key] ?? key, plainJson(value)];
  });
  return Object.fromEntries(entries);
}

function decision(said: unknown): Json {
  if (typeof said !== 'object' || said === null) return plainJson(said);
  const entries: JsonObject = Object.fromEntries(Object.entries(said).map(([key, value]) => [fileKey(key), plainJson(value)]));
  return entries;
}
