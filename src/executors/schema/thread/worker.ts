// The thread of `inThread`: compiles schemas and checks values, one after the other.
import { parentPort } from 'node:worker_threads';
import { Ajv } from 'ajv';
import { LRUCache } from 'lru-cache';
import { type Check, compiled } from '../compiled.ts';
import type { SchemaAnswer, SchemaRequest } from '../in-thread.ts';
import { withinTime } from '../time-limit.ts';

/** Longest time for which one may hold up the others that take long. */
const LIMIT_MS = 1_000;

const checks = new LRUCache<string, Check>({ max: 100 });

function answerTo({ schema, use, value }: SchemaRequest): SchemaAnswer {
  try {
    const key = `${use} ${JSON.stringify(schema)}`;
    const known = checks.get(key);
    const check = known ?? withinTime(LIMIT_MS, () => compiled(Ajv, schema, use))?.value;
    if (check === undefined) return { unusable: 'it takes too long to compile' };
    checks.set(key, check);
    if (value === undefined) return { problem: null };
    const found = withinTime(LIMIT_MS, () => check(value));
    return { problem: found === null ? 'it takes too long to be checked' : found.value };
  } catch (error) {
    return { unusable: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on('message', (request: SchemaRequest) => parentPort?.postMessage(answerTo(request)));
