import type { Node } from 'yaml';
import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import type { Status } from '../../machines/run.ts';
import { didYouMean } from '../../machines/suggest.ts';
import type { Position } from './diagnostic.ts';
import { definitionWritten } from './kinds.ts';
import { type Located, MapReader, readItem } from './map-reader.ts';
import { type Reply, type ReplyContext, readReplies } from './replies.ts';
import { isSeq } from './tree.ts';

/** One entry of the `tests:` block. */
export interface AuthoredTest extends Position {
  readonly name: string;
  readonly input: Json;
  /** Answers by node id, in order. */
  readonly results: ReadonlyMap<string, readonly Reply[]>;
  readonly expect: Expectation;
  /** Problems of the test itself, for which it fails. */
  readonly problems: readonly string[];
}

/** Null = not checked. */
export interface Expectation {
  readonly status: Status;
  /** All visited nodes in the order in which they ended; those that still run or wait are last. */
  readonly visited: readonly string[] | null;
  readonly visitedIncludes: readonly string[];
  readonly notVisited: readonly string[];
  /** A part of the final state. */
  readonly state: JsonObject | null;
  /** A part of the error of the execution or of a failed node. */
  readonly error: string | null;
}

/** The kinds of the workflow's nodes by id, and the nodes of type `end`. */
export interface KnownNodes {
  readonly kinds: ReadonlyMap<string, string>;
  readonly ends: ReadonlySet<string>;
}

const EXPECTED = ['status', 'visited', 'visited_includes', 'not_visited', 'state', 'error'] as const;
const STATUSES: readonly Status[] = ['completed', 'failed', 'paused', 'running', 'limit_exceeded'];

/**
 * Reads the `tests:` list of a workflow file. It is not part of the document, so an unknown name in a test is a warning of the file and fails the
 * test, but does not prevent `run` or a registration. A value of the wrong type is an error, as everywhere.
 */
export function readTests(top: MapReader, known: KnownNodes): readonly AuthoredTest[] {
  const field = top.find('tests');
  if (field === null) return [];
  if (!isSeq(field.value)) {
    top.wrongType(field, 'a list of tests');
    return [];
  }
  return field.value.items.flatMap((item, i) => {
    const wanted = 'a map with a name, results and what to expect';
    const reader = readItem(item, `test ${i + 1}`, top, wanted);
    if (reader instanceof MapReader) return [readTest(reader, i, known)];
    if (reader !== null) top.error('wrong_type', `test ${i + 1} must be ${wanted}, not "${reader.value}"`, reader.offset);
    return [];
  });
}

function readTest(reader: MapReader, index: number, known: KnownNodes): AuthoredTest {
  const problems: string[] = [];
  const problem = (message: string, at: number, hint: string | null): void => {
    problems.push(message);
    reader.warning('bad_test', `${reader.name}: ${message}`, at, hint);
  };
  const name = reader.text('name')?.value ?? `test ${index + 1}`;
  const input = reader.json('input')?.value ?? {};
  const results = readResults(reader, known, problem);
  const expect = readExpectation(reader, known, problem);
  reader.warnAboutUnread();
  for (const { key } of reader.unread()) problems.push(`"${key}" is unknown here`);
  return { name, input, results, expect, problems, ...reader.source.findings.positionOf(reader.offset) };
}

function readResults(reader: MapReader, { kinds, ends }: KnownNodes, problem: ReplyContext['problem']): AuthoredTest['results'] {
  const results = new Map<string, readonly Reply[]>();
  const written = reader.map('results', 'results');
  for (const field of written?.fields ?? []) {
    const kind = kinds.get(field.key);
    if (written === null) break;
    if (kind === undefined) problem(...unknownNode(field.key, field.keyOffset, kinds, ends));
    else {
      // A type that is unknown here counts as work; the document's validation refuses it.
      const answerable = definitionWritten(kind)?.testReplies ?? 'work';
      if (answerable === 'none') problem(`"${field.key}" decides by itself and has no result`, field.keyOffset, null);
      else results.set(field.key, readReplies(field, { answerable, parent: written, problem }));
    }
  }
  return results;
}

function readExpectation(reader: MapReader, { kinds, ends }: KnownNodes, problem: ReplyContext['problem']): Expectation {
  const expect = reader.map('expect', 'expect');
  if (expect === null) problem('has no expectation', reader.offset, 'write "expect:" with status, visited or state');
  const names = (key: string): readonly string[] | null => {
    const list = expect?.list(key);
    return list?.value.flatMap((item) => readNodeName(item, key, expect, kinds, ends, problem)) ?? null;
  };
  const error = expect?.text('error')?.value ?? null;
  const state = expect?.json('state') ?? null;
  if (state !== null && !isObject(state.value)) problem('"state" must be a map', state.offset, null);
  const expectation = {
    status: readStatus(expect?.text('status') ?? null, error, problem),
    visited: names('visited'),
    visitedIncludes: names('visited_includes') ?? [],
    notVisited: names('not_visited') ?? [],
    state: state !== null && isObject(state.value) ? state.value : null,
    error,
  };
  for (const { key, keyOffset } of expect?.unread() ?? []) {
    problem(`"${key}" cannot be expected`, keyOffset, didYouMean(key, EXPECTED) ?? `it may have: ${EXPECTED.join(', ')}`);
  }
  return expectation;
}

function readStatus(written: Located<string> | null, error: string | null, problem: ReplyContext['problem']): Status {
  const status = STATUSES.find((known) => known === written?.value);
  if (written !== null && status === undefined) problem(`"status" is one of ${STATUSES.join(', ')}`, written.offset, null);
  return status ?? (error === null ? 'completed' : 'failed');
}

function readNodeName(
  item: Node,
  key: string,
  expect: MapReader | null,
  kinds: KnownNodes['kinds'],
  ends: KnownNodes['ends'],
  problem: ReplyContext['problem'],
): string[] {
  if (expect === null) return [];
  const name = readItem(item, `"${key}"`, expect, 'the name of a node');
  if (name === null || name instanceof MapReader) return [];
  if (!kinds.has(name.value)) problem(...unknownNode(name.value, name.offset, kinds, ends));
  return [name.value];
}

function unknownNode(
  name: string,
  at: number,
  kinds: KnownNodes['kinds'],
  ends: KnownNodes['ends'],
): [message: string, at: number, hint: string | null] {
  if (ends.has(name) || name === 'end') return [`"${name}" is an end, which is never visited`, at, 'leave it out'];
  return [`there is no node "${name}"`, at, didYouMean(name, kinds.keys())];
}
