import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { type Cooperative, runToEnd } from './cooperative.ts';
import type { Workflow } from './ir/workflow.ts';
import { canonicalJson, isObject, type Json } from './json.ts';
import { charsUpTo } from './json-size.ts';

/** Characters that are hashed before other work may go on. */
const HASHED_AT_ONCE = 8_192;

/** A part without text: other work may go on. */
const PAUSE = '';

/**
 * The revision of a workflow: SHA-256 (hex) of its document, regardless of the order of keys. The order of nodes counts, because it
 * decides ties when the workflow runs.
 */
export function revisionOf(workflow: Workflow): string {
  return runToEnd(revisionCooperatively(workflow));
}

/** `revisionOf` as a cooperative computation. */
export function* revisionCooperatively({ nodes, source }: Workflow): Cooperative<string> {
  const hash = sha256.create();
  let text = '';
  for (const part of canonicalParts([nodes.map((node) => node.id), source])) {
    text += part;
    if (part === PAUSE) yield;
    if (text.length < HASHED_AT_ONCE) continue;
    const bytes = utf8ToBytes(text);
    text = '';
    for (let at = 0; at < bytes.length; at += HASHED_AT_ONCE) {
      hash.update(bytes.subarray(at, at + HASHED_AT_ONCE));
      yield;
    }
  }
  return bytesToHex(hash.update(utf8ToBytes(text)).digest());
}

/** The parts of `canonicalJson(value)`, in order. */
function* canonicalParts(value: Json): Generator<string, void> {
  if (charsUpTo(value, HASHED_AT_ONCE) <= HASHED_AT_ONCE) yield canonicalJson(value);
  else if (Array.isArray(value)) {
    let before = '[';
    for (const item of value as readonly Json[]) {
      yield before;
      yield* canonicalParts(item);
      before = ',';
    }
    yield ']';
  } else if (isObject(value)) {
    // Keys that are numbers come first, in objects of any order.
    const keys = Object.keys(
      Object.fromEntries(
        Object.keys(value)
          .sort()
          .map((key) => [key, null]),
      ),
    );
    yield PAUSE;
    let before = '{';
    for (const key of keys) {
      yield `${before}${JSON.stringify(key)}:`;
      yield* canonicalParts(value[key] ?? null);
      before = ',';
    }
    yield '}';
  } else yield canonicalJson(value);
}
