import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestEntries, digestRows, hashBlock } from '../../../store/audit/digest.ts';
import type { LogEntry } from '../../../store/log/entry.ts';
import type { StoredEvent } from '../../../store/log/stored-event.ts';
import type { NewExecution } from '../../../store/port/executions.ts';
import { sampleOf } from '../../support/properties.ts';
import { newExecution } from '../writes.ts';

/** Texts that resemble the digest's own separators, so that different records would collide without length prefixes. */
const text = fc.array(fc.constantFrom('1', ':', ' ', '-', '\n', 'at 1 ', 'é'), { maxLength: 3 }).map((parts) => parts.join(''));
const optional = fc.option(text, { nil: null });

const row: fc.Arbitrary<Omit<StoredEvent, 'seq'>> = fc.record({
  type: text,
  nodeId: optional,
  data: text,
  atMs: fc.integer({ min: 0, max: 2 }),
  actorId: text,
  actorType: fc.constantFrom('human', 'system'),
  onBehalfOf: optional,
  request: optional,
});
const created: fc.Arbitrary<NewExecution | null> = fc.option(
  fc
    .record({ workflowId: text, workflowVersion: text, labels: text, parentId: optional, depth: fc.nat(1) })
    .map((some) => newExecution(some)),
  { nil: null },
);
const stream = fc
  .record({
    tenantId: text,
    firstSeq: fc.integer({ min: 1, max: 11 }),
    rows: fc.array(row, { minLength: 1, maxLength: 3 }),
  })
  .map((some) => ({ ...some, rows: some.rows.map((each, index) => ({ ...each, seq: some.firstSeq + index })) }));
type Stream = typeof stream extends fc.Arbitrary<infer T> ? T : never;

function digest({ tenantId, firstSeq, rows }: Stream): string {
  return digestRows({ tenantId, executionId: null, firstSeq, lastSeq: firstSeq + rows.length - 1 }, rows);
}

describe('the digest of rows', () => {
  it('is equal for equal records and differs for others, whatever they contain', () => {
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(stream, (some) => {
        const record = JSON.stringify(some);
        const known = seen.get(digest(some));
        seen.set(digest(some), record);
        expect(known ?? record).toBe(record);
      }),
      { numRuns: sampleOf(3_000) },
    );
    expect(seen.size).toBeGreaterThan(sampleOf(1_000));
  });

  it('depends on where one text ends and the next begins', () => {
    const base: StoredEvent = {
      seq: 1,
      type: 't',
      nodeId: null,
      data: 'ab',
      atMs: 0,
      actorId: 'a',
      actorType: 'human',
      onBehalfOf: null,
      request: null,
    };
    const pair = (first: Partial<StoredEvent>, second: Partial<StoredEvent>) =>
      digestRows({ tenantId: 't', executionId: null, firstSeq: 1, lastSeq: 2 }, [
        { ...base, ...first },
        { ...base, seq: 2, ...second },
      ]);
    const digests = [
      pair({ data: 'ab' }, { data: 'c' }),
      pair({ data: 'a' }, { data: 'bc' }),
      pair({ type: 't1' }, {}),
      pair({ nodeId: '-' }, {}),
      pair({ nodeId: null }, {}),
      pair({ request: 'x' }, { request: 'x' }),
      pair({ request: 'x' }, {}),
      pair({}, { request: 'x' }),
    ];
    expect(new Set(digests).size).toBe(digests.length);
  });
});

const entry: fc.Arbitrary<LogEntry> = fc.record({
  seq: fc.integer({ min: 1, max: 3 }),
  events: fc.integer({ min: 1, max: 2 }),
  body: text,
  atMs: fc.integer({ min: 0, max: 2 }),
  actorId: text,
  actorType: fc.constantFrom('human', 'system'),
  onBehalfOf: optional,
  request: optional,
});

describe('the digest of entries', () => {
  it('is equal for equal records and differs for others, whatever they contain', () => {
    const range = { tenantId: 't', executionId: 'e', firstSeq: 1, lastSeq: 3 };
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(created, fc.array(entry, { maxLength: 3 }), text, (execution, entries, tenantId) => {
        const record = JSON.stringify([execution, entries, tenantId]);
        const digest = digestEntries({ ...range, tenantId }, execution, entries);
        const known = seen.get(digest);
        seen.set(digest, record);
        expect(known ?? record).toBe(record);
      }),
      { numRuns: sampleOf(3_000) },
    );
    expect(seen.size).toBeGreaterThan(sampleOf(1_000));
  });

  it('is no digest of rows', () => {
    const range = { tenantId: 't', executionId: 'e', firstSeq: 1, lastSeq: 1 };
    expect(digestEntries(range, null, [])).not.toBe(digestRows(range, []));
  });
});

describe('the hash of a block', () => {
  const block = { block: 2, atMs: 5, writer: 'rt_1', streams: [] };

  it('depends on every part and on the previous block', () => {
    const streamDigest = { tenantId: 't', executionId: 'e', firstSeq: 1, lastSeq: 1, digest: 'd' };
    const hashes = [
      hashBlock('p', block),
      hashBlock('q', block),
      hashBlock('p', { ...block, block: 3 }),
      hashBlock('p', { ...block, atMs: 6 }),
      hashBlock('p', { ...block, writer: 'rt_2' }),
      hashBlock('p', { ...block, streams: [streamDigest] }),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('needs only the digest of a stream, so that other tenants’ data stays private', () => {
    const hidden = { tenantId: '', executionId: null, firstSeq: 0, lastSeq: 0, digest: 'd' };
    const shown = { tenantId: 't', executionId: 'e', firstSeq: 1, lastSeq: 9, digest: 'd' };
    expect(hashBlock('p', { ...block, streams: [hidden] })).toBe(hashBlock('p', { ...block, streams: [shown] }));
  });
});
