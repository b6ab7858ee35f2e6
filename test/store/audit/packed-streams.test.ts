import { hash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StreamDigest } from '../../../store/audit/digest.ts';
import { packStreams, unpackStreams } from '../../../store/audit/packed-streams.ts';

const ID = 'exec_01a21d32ff2c70008ef8750fc2aab1dd';
/** Began in the same second. */
const OTHER_ID = 'exec_01a21d32ff447001a68f326b58bb5654';
const EARLIER_ID = 'exec_00a21d32ff447001a68f326b58bb5654';
const DIGEST = hash('sha256', 'a', 'base64url');

function stream(change: Partial<StreamDigest> = {}): StreamDigest {
  return { tenantId: 'default', executionId: ID, firstSeq: 8, lastSeq: 11, digest: DIGEST, ...change };
}

const text = fc.string({ unit: 'grapheme' });
const streams: fc.Arbitrary<readonly StreamDigest[]> = fc.array(
  fc
    .record({
      tenantId: fc.oneof(fc.constantFrom('default', 'acme'), text),
      executionId: fc.oneof(fc.constantFrom(null, ID, OTHER_ID, EARLIER_ID, `${ID}0`, ID.toUpperCase()), text),
      firstSeq: fc.oneof(fc.nat(300), fc.nat()),
      events: fc.oneof(fc.nat(3), fc.constant(Number.MAX_SAFE_INTEGER - 2 ** 32)),
      digest: fc.oneof(fc.constantFrom(DIGEST, `${DIGEST.slice(0, -1)}B`), text),
    })
    .map(({ events, ...some }) => ({ ...some, lastSeq: some.firstSeq + events })),
);

describe('packed streams', () => {
  it('are the same streams again', () => {
    fc.assert(fc.property(streams, (some) => void expect(unpackStreams(packStreams(some))).toEqual(some)));
  });

  it('take 51 bytes, without the tenant and the bytes of the id that are those of the stream before', () => {
    const first = 1 + 'default'.length + 1 + 51;
    expect(packStreams([stream()])).toHaveLength(first);
    expect(packStreams([stream(), stream({ executionId: EARLIER_ID })])).toHaveLength(first + 51);
    expect(packStreams([stream(), stream({ executionId: OTHER_ID })])).toHaveLength(first + 46);
    expect(packStreams([stream(), stream()])).toHaveLength(first + 44);
  });

  it('are empty if they were cut or have another form', () => {
    const packed = packStreams([stream(), stream({ executionId: 'text' })]);
    for (let length = 0; length < packed.length; length += 1) {
      expect(unpackStreams(packed.subarray(0, length)).length).toBeLessThan(2);
    }
    expect(unpackStreams(Uint8Array.of(2, ...packed.subarray(1)))).toEqual([]);
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void expect(Array.isArray(unpackStreams(bytes))).toBe(true)));
  });
});
