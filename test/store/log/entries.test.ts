import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ACTOR, type EventDefinition } from '../../../machines/events/declaration.ts';
import { EVENTS, type LogEvent } from '../../../machines/events/index.ts';
import { DAMAGED, decodeEntry, decodeStored, outlineEntry } from '../../../store/log/decode.ts';
import { encodeEntries } from '../../../store/log/encode.ts';
import { type LogEntry, MAX_BODY_CHARS, MAX_EVENTS } from '../../../store/log/entry.ts';
import { bodyPattern } from '../../../store/log/shapes.ts';
import { eventRow, type StoredEvent } from '../../../store/log/stored-event.ts';
import { DamagedEntryError } from '../../../store/port/errors.ts';
import type { EventRow } from '../../../store/port/executions.ts';
import type { JsonObject } from '../../../store/port/json.ts';
import { encodeStored, storedEvent } from '../../support/encode-stored.ts';
import { sampleOf } from '../../support/properties.ts';
import { event } from '../writes.ts';
import { anyRows } from './any-rows.ts';

const GOLDEN = 'test/golden';
const logs = readdirSync(GOLDEN).filter((file) => file.endsWith('.json'));

function goldenLog(file: string): readonly EventRow[] {
  const { events } = JSON.parse(readFileSync(join(GOLDEN, file), 'utf8')) as {
    events: readonly (LogEvent & { readonly at_ms: number })[];
  };
  return events.map(({ sequence: seq, type, node_id: nodeId, data, at_ms: atMs }) =>
    event(seq, { type, nodeId, data, atMs, actorId: 'runtime-1', actorType: 'system' }),
  );
}

/** The first step of a two-node workflow, as the runtime commits it. */
const STEP: readonly EventRow[] = [
  event(4, { type: 'tool_call_completed', nodeId: 'step-1', data: { tool: 'work', duration_ms: 1, activation: 1 } }),
  event(5, {
    nodeId: 'step-1',
    data: { output: { n: 1 }, patch_from: 'output', duration_ms: 1, activation: 1, taken: ['step-2'] },
  }),
  event(6, {
    type: 'node_scheduled',
    nodeId: 'step-2',
    data: { queue_type: 'tool', attempt: 0, in_process: true, activation: 1 },
  }),
  event(7, {
    type: 'node_started',
    nodeId: 'step-2',
    data: { worker_id: 'alice', attempt: 0, activation: 1, input: { n: 1 } },
  }),
];

function expectRoundTrip(rows: readonly EventRow[]): readonly LogEntry[] {
  const entries = encodeEntries(rows);
  const stored = rows.map(storedEvent);
  expect(encodeStored(stored)).toEqual(entries);
  expect(entries.flatMap(decodeStored)).toEqual(stored);
  expect(entries.flatMap(decodeEntry).map(storedEvent)).toEqual(stored);
  expect(entries.flatMap(outlineEntry)).toEqual(rows.map(({ seq, type, nodeId }) => ({ seq, type, nodeId })));
  for (const entry of entries) {
    const types = decodeEntry(entry).map(({ type }) => type);
    // As often as the entry has events of the type: searches count them by it.
    for (const type of new Set(types)) {
      const pattern = bodyPattern(type);
      expect(entry.body.split(pattern).length - 1).toBe(types.filter((each) => each === type).length);
    }
  }
  return entries;
}

describe('entries of the log', () => {
  it.each(logs)('give back the golden log %s byte for byte', (file) => {
    const entries = expectRoundTrip(goldenLog(file));
    // Nothing that a release has written is stored with its keys.
    expect(entries.filter(({ body }) => body.includes('\t*'))).toEqual([]);
  });

  it('give back any log', () => {
    fc.assert(
      fc.property(anyRows, (made) => void expectRoundTrip(made)),
      { numRuns: sampleOf(3_000) },
    );
  });

  it('give back any JSON', () => {
    const odd: readonly JsonObject[] = [
      { output: -0, activation: 1e21 },
      { output: { 2: 'b', 1: 'a', ['__proto__']: { x: 1 } }, activation: 1 },
      JSON.parse('{"__proto__":{"output":1},"activation":1}') as JsonObject,
      { activation: 1, output: 1 },
      { output: '\ud800 \u2028 \u0000 \t \n \\ "', activation: '-' },
      { output: '*', taken: ['\n*node_completed\t'] },
      JSON.parse(`{"output":${'['.repeat(2_000)}${']'.repeat(2_000)}}`) as JsonObject,
      {},
    ];
    for (const data of odd) expectRoundTrip([event(1, { data }), event(2, { type: 'novelty', data })]);
  });

  it('leave out keys without a value, as JSON does', () => {
    const data = { output: undefined, patch_from: undefined, activation: 1 } as unknown as JsonObject;
    expect(encodeEntries([event(1, { data })]).flatMap(decodeEntry)).toEqual([event(1, { data: { activation: 1 } })]);
  });

  it('give back stored data byte for byte even if we would not have written it', () => {
    const texts = [
      '{ "output": 1 }',
      '{"output":1,"output":2}',
      '{"activation":1.0}',
      '{"output":-0}',
      '{"output":"\\u0041"}',
      '{"output":',
      '',
      '\n*\t',
      '[]',
      '"{}"',
      'null',
      '{"output":"\ud800"}',
      '{"2":1,"1":2}',
      '{"__proto__":1,"__proto__":2}',
    ];
    const stored = texts.map((data, index): StoredEvent => ({ ...storedEvent(event(index + 1)), data }));
    const entries = encodeStored(stored);
    expect(entries).toHaveLength(1);
    expect(entries.flatMap(decodeStored)).toEqual(stored);
    expect(entries.every(({ body }) => body.isWellFormed() && !body.includes('\0'))).toBe(true);
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 }), (data) => {
        const some = data.map(
          (text, index): StoredEvent => ({ ...storedEvent(event(index + 1)), data: text, type: text, nodeId: text }),
        );
        expect(encodeStored(some).flatMap(decodeStored)).toEqual(some);
      }),
    );
  });

  it('store what a database can store', () => {
    const [entry] = encodeEntries([
      event(1, { nodeId: 'a\0\ud800', type: 'b\0', actorId: '\udc00', onBehalfOf: '\0', request: '"\ud800"', data: { x: '\0' } }),
    ]);
    expect(entry).toMatchObject({ actorId: '\ufffd', onBehalfOf: '\ufffd', request: '"\ufffd"' });
    expect(entry?.body).toBe('\n*"b\ufffd"\t"a\ufffd\ufffd"\t*{"x":"\\u0000"}');
  });

  it('begin where the context changes', () => {
    const contexts = [{}, { atMs: 1 }, { atMs: 1, actorId: 'bob' }, { atMs: 1, actorType: 'agent' as const }, {}, {}];
    const entries = expectRoundTrip(contexts.map((context, index) => event(index + 1, context)));
    expect(entries.map(({ seq, events }) => [seq, events])).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
      [4, 1],
      [6, 2],
    ]);
  });

  it('begin after a gap in the sequence', () => {
    const stored = [1, 2, 4, 4, 5, 3].map((seq) => storedEvent(event(seq)));
    const entries = encodeStored(stored);
    expect(entries.map(({ seq, events }) => [seq, events])).toEqual([
      [2, 2],
      [4, 1],
      [5, 2],
      [3, 1],
    ]);
    expect(entries.flatMap(decodeStored)).toEqual(stored);
  });

  it('are bounded in events and characters, except for one large event', () => {
    const many = expectRoundTrip(Array.from({ length: 2 * MAX_EVENTS + 1 }, (_, index) => event(index + 1)));
    expect(many.map(({ events }) => events)).toEqual([MAX_EVENTS, MAX_EVENTS, 1]);
    const sizes = [MAX_BODY_CHARS / 2, MAX_BODY_CHARS / 2 - 100, MAX_BODY_CHARS / 2, 2 * MAX_BODY_CHARS, 1];
    const large = expectRoundTrip(sizes.map((size, index) => event(index + 1, { data: { output: 'x'.repeat(size) } })));
    expect(large.map(({ events }) => events)).toEqual([2, 1, 1, 1]);
  });

  it('of no events are none', () => {
    expect(encodeEntries([])).toEqual([]);
  });

  it('take about 16 bytes per event of a trivial step', () => {
    const [entry] = expectRoundTrip(STEP);
    expect(entry?.body).toBe('\nKstep-1\t"work"\t1\nL\t{"n":1}\t["step-2"]\t1\nIstep-2\nJ\t{"n":1}');
  });

  it.each([
    ['does not begin with a line feed', 'L\t1'],
    ['has an unknown letter', '\n?\t1'],
    ['has an event too few', '\nL\t1'],
    ['has an event too many', '\nL\nL\nL'],
    ['has a value too many', `\nL\nK${'\t'.repeat(5)}`],
    ['has invalid JSON', '\nL\nL\t{"x":'],
    ['has an invalid name', '\nL\nL"\t1'],
    ['has no data', '\nL\n*novelty\ta'],
    ['is empty', ''],
  ])('are damaged if their text %s', (_problem, body) => {
    const entry: LogEntry = { ...event(1), seq: 8, events: 2, body };
    expect(() => decodeEntry(entry)).toThrow(DamagedEntryError);
    const outline = outlineEntry(entry);
    expect(outline.map(({ seq }) => seq)).toEqual([7, 8]);
    expect(outline.every(({ type }) => ['node_completed', 'tool_call_completed', 'novelty', DAMAGED].includes(type))).toBe(true);
  });

  it('have no more events than fit, whatever number a damaged one claims', () => {
    const entry: LogEntry = { ...event(1), seq: 1e12, events: 1e12, body: '\nL\t1' };
    expect(() => decodeEntry(entry)).toThrow(DamagedEntryError);
    expect(outlineEntry(entry)).toHaveLength(MAX_EVENTS);
    expect(outlineEntry(entry).at(-1)).toEqual({ seq: 1e12, type: DAMAGED, nodeId: null });
  });

  it('are read whatever their text, or damaged', () => {
    const part = fc.constantFrom('\n', '\t', '*', '-', 'L', 'J', '"', '{', '}', '1', 'null', 'a', '\\', '[]', '{"x":1}');
    const body = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(part, { maxLength: 12 }).map((parts) => `\n${parts.join('')}`),
    );
    fc.assert(
      fc.property(body, fc.integer({ min: 1, max: 3 }), (text, count) => {
        const entry: LogEntry = { ...event(1), seq: 8, events: count, body: text };
        expect(outlineEntry(entry)).toHaveLength(count);
        for (const decode of [decodeEntry, decodeStored]) {
          try {
            expect(decode(entry)).toHaveLength(count);
          } catch (error) {
            expect(error).toBeInstanceOf(DamagedEntryError);
          }
        }
      }),
      { numRuns: sampleOf(3_000) },
    );
  });

  it('give back data that is no JSON as text only', () => {
    const entries = encodeStored([{ ...storedEvent(event(1)), data: '{' }]);
    expect(entries.flatMap(decodeStored).map(({ data }) => data)).toEqual(['{']);
    expect(() => entries.flatMap(decodeEntry)).toThrow(DamagedEntryError);
  });
});

describe('the example in docs/log.md', () => {
  it('is what the runtime stores', () => {
    const [, body = ''] = /body of the third entry is\n\n```\n(.*?)\n```/s.exec(readFileSync('docs/log.md', 'utf8')) ?? [];
    const entry = { ...event(1), seq: 7, events: 4, body: `\n${body.replaceAll('⇥', '\t')}` };
    const data = ({ type, nodeId, data }: EventRow) => [type, nodeId, JSON.stringify(data)];
    expect(decodeEntry(entry).map(data)).toEqual([
      ['tool_call_completed', 'first', '{"tool":"load","duration_ms":12,"activation":1}'],
      ['node_completed', 'first', '{"output":{"n":1},"patch_from":"output","duration_ms":12,"activation":1,"taken":["second"]}'],
      ['node_scheduled', 'second', '{"queue_type":"tool","attempt":0,"in_process":true,"activation":1}'],
      ['node_started', 'second', '{"worker_id":"alice","attempt":0,"activation":1,"input":{"n":1}}'],
    ]);
    expect(encodeEntries(decodeEntry(entry))).toMatchObject([{ body: entry.body }]);
  });
});

describe('the shapes of events', () => {
  it('have the same keys in their data as in their lines', () => {
    for (const { fields, stored } of Object.values(EVENTS)) expect([...stored].sort()).toEqual([...fields.keys()].sort());
  });

  it('never change: logs are stored in them', () => {
    const table = Object.entries<EventDefinition>(EVENTS).map(([type, { ofExecution, fields, stored }]) => {
      const slots = stored.map((field) => {
        const byDefault = fields.get(field);
        return byDefault === undefined ? field : [field, byDefault === ACTOR ? '(actor)' : byDefault];
      });
      return JSON.stringify([type, ofExecution, [...fields.keys()], slots]);
    });
    // Of a new type or a new key: add it, and this hash. Nothing else may change.
    expect(hash('sha256', table.sort().join('\n'), 'base64url')).toBe('XSjJvTqeK22o1iUG1HjL9qBgh0fdPldZ2eOnIbVKGTc');
  });

  it('are found by a text in the body', () => {
    expect(bodyPattern('node_completed')).toBe('\nL');
    expect(bodyPattern('novelty')).toBe('\n*novelty\t');
    expect(bodyPattern('{}')).toBe('\n*"{}"\t');
  });
});

it('is the row of a table again', () => {
  expect(encodeEntries(STEP).flatMap(decodeStored).map(eventRow)).toEqual(STEP);
});
