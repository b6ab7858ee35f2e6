import { isSeq, type Node } from 'yaml';
import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import type { Status } from '../../machines/run.ts';
import { didYouMean } from '../../machines/suggest.ts';
import type { Position } from './diagnostic.ts';
import { kindWritten } from './kinds.ts';
import { itemOf, type Located, MapReader } from './map-reader.ts';
import { type Reply, type ReplyContext, readReplies } from './replies.ts';

/** One entry of the `tests:` block. */
export interface AuthoredTest extends Position {
  readonly name: string;
  readonly input: Json;
  /** Node id → what it is answered, in order. */
  readonly results: ReadonlyMap<string, readonly Reply[]>;
  readonly expect: Expectation;
  /** What is wrong with the test itself: it fails for these. */
  readonly problems: readonly string[];
}

/** Null = not asked for. */
export interface Expectation {
  readonly status: Status;
  /** All nodes in the order in which they ended, those still waited for last. */
  readonly visited: readonly string[] | null;
  readonly visitedIncludes: readonly string[];
  readonly notVisited: readonly string[];
  /** A part of the final state. */
  readonly state: JsonObject | null;
  /** A part of the error that ended the run, or of one that a node failed with. */
  readonly error: string | null;
}

/** Nodes of the workflow, id → kind; and those of type `end`. */
export interface KnownNodes {
  readonly kinds: ReadonlyMap<string, string>;
  readonly ends: ReadonlySet<string>;
}

const EXPECTED = ['status', 'visited', 'visited_includes', 'not_visited', 'state', 'error'] as const;
const STATUSES: readonly Status[] = ['completed', 'failed', 'paused', 'running', 'limit_exceeded'];

/**
 * The `tests:` list of a workflow file. It is no part of the document, so a test that names what does not exist stops neither `run`
 * nor a registration: that is a warning of the file, and a failure of the test. A value of the wrong type is an error, as everywhere.
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
    const section = itemOf(item, `test ${i + 1}`, top, wanted);
    if (section instanceof MapReader) return [readTest(section, i, known)];
    if (section !== null) top.error('wrong_type', `test ${i + 1} must be ${wanted}, not "${section.value}"`, section.at);
    return [];
  });
}

function readTest(section: MapReader, index: number, known: KnownNodes): AuthoredTest {
  const problems: string[] = [];
  const problem = (message: string, at: number, hint: string | null): void => {
    problems.push(message);
    section.warning('bad_test', `${section.name}: ${message}`, at, hint);
  };
  const name = section.text('name')?.value ?? `test ${index + 1}`;
  const input = section.json('input')?.value ?? {};
  const results = readResults(section, known, problem);
  const expect = readExpectation(section, known, problem);
  section.warnOfUnread();
  for (const { key } of section.unread()) problems.push(`"${key}" means nothing here`);
  return { name, input, results, expect, problems, ...section.source.findings.positionOf(section.at) };
}

function readResults(section: MapReader, { kinds, ends }: KnownNodes, problem: ReplyContext['problem']): AuthoredTest['results'] {
  const results = new Map<string, readonly Reply[]>();
  const written = section.map('results', 'results');
  for (const field of written?.fields ?? []) {
    const kind = kinds.get(field.key);
    if (written === null) break;
    if (kind === undefined) problem(...unknownNode(field.key, field.keyOffset, kinds, ends));
    else {
      // A type that is unknown here counts as work; the document's validation refuses it.
      const answerable = kindWritten(kind)?.testReplies ?? 'work';
      if (answerable === 'none') problem(`"${field.key}" decides by itself and has no result`, field.keyOffset, null);
      else results.set(field.key, readReplies(field, { answerable, parent: written, problem }));
    }
  }
  return results;
}

function readExpectation(section: MapReader, { kinds, ends }: KnownNodes, problem: ReplyContext['problem']): Expectation {
  const expect = section.map('expect', 'expect');
  if (expect === null) problem('says nothing to expect', section.at, 'write "expect:" with status, visited or state');
  const names = (key: string): readonly string[] | null => {
    const list = expect?.list(key);
    return list?.value.flatMap((item) => nameOf(item, key, expect, kinds, ends, problem)) ?? null;
  };
  const error = expect?.text('error')?.value ?? null;
  const state = expect?.json('state') ?? null;
  if (state !== null && !isObject(state.value)) problem('"state" must be a map', state.at, null);
  const expectation = {
    status: statusOf(expect?.text('status') ?? null, error, problem),
    visited: names('visited'),
    visitedIncludes: names('visited_includes') ?? [],
    notVisited: names('not_visited') ?? [],
    state: state !== null && isObject(state.value) ? state.value : null,
    error,
  };
  for (const { key, keyOffset: keyAt } of expect?.unread() ?? []) {
    problem(`"${key}" is nothing to expect`, keyAt, didYouMean(key, EXPECTED) ?? `it may have: ${EXPECTED.join(', ')}`);
  }
  return expectation;
}

function statusOf(written: Located<string> | null, error: string | null, problem: ReplyContext['problem']): Status {
  const status = STATUSES.find((known) => known === written?.value);
  if (written !== null && status === undefined) problem(`"status" is one of ${STATUSES.join(', ')}`, written.at, null);
  return status ?? (error === null ? 'completed' : 'failed');
}

function nameOf(
  item: Node,
  key: string,
  expect: MapReader | null,
  kinds: KnownNodes['kinds'],
  ends: KnownNodes['ends'],
  problem: ReplyContext['problem'],
): string[] {
  if (expect === null) return [];
  const name = itemOf(item, `"${key}"`, expect, 'the name of a node');
  if (name === null || name instanceof MapReader) return [];
  if (!kinds.has(name.value)) problem(...unknownNode(name.value, name.at, kinds, ends));
  return [name.value];
}

function unknownNode(
  name: string,
  at: number,
  kinds: KnownNodes['kinds'],
  ends: KnownNodes['ends'],
): [message: string, at: number, hint: string | null] {
  if (ends.has(name) || name === 'end') return [`"${name}" is an end, which no run visits`, at, 'leave it out'];
  return [`there is no node "${name}"`, at, didYouMean(name, kinds.keys())];
}
