import { Type } from 'typebox';
import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  type Decoded,
  decoder,
  type Encodable,
  encoder,
  parsed,
  Verbatim,
  withDefaults,
} from '../../../src/api/operations/codec.ts';
import { anyJson, Labels, listOf, nullable, optional, text, timestamp } from '../../../src/api/schemas/fields.ts';

const Visit = Type.Object({ node_id: text('Node.'), ended_at: nullable(timestamp('A time.'), 'When; null if it has not.') });
const Thing = Type.Object({
  workflow_id: text('Workflow.'),
  last_3_runs: Type.Optional(listOf(Visit, 'Visits.')),
  created_at: timestamp('When.'),
  left_at: Type.Optional(timestamp('When.')),
  only_visit: nullable(Visit, 'Visit.'),
  free_form: anyJson('Anything.'),
  labels: Type.Optional(Labels),
});

describe('a reply', () => {
  const encode = encoder(Thing);
  const thing = { workflowId: 'w', createdAtMs: 0, onlyVisit: null, freeForm: { someKey: 1, some_key: { endedAtMs: 2 } } };

  it('has the fields of its schema, in its order and under its names', () => {
    const reply = encode({ tenantId: 't', ...thing, last3Runs: [{ nodeId: 'n', endedAtMs: null, more: 1 }] });
    expect(JSON.stringify(reply)).toBe(
      JSON.stringify({
        workflow_id: 'w',
        last_3_runs: [{ node_id: 'n', ended_at: null }],
        created_at: '1970-01-01T00:00:00.000Z',
        only_visit: null,
        free_form: thing.freeForm,
      }),
    );
  });

  it('leaves an optional field out that is null or undefined', () => {
    expect(encode({ ...thing, leftAtMs: null, last3Runs: undefined })).toEqual(encode(thing));
    expect(encode({ ...thing, leftAtMs: 1_000 })).toMatchObject({ left_at: '1970-01-01T00:00:01.000Z' });
  });

  it('keeps free JSON and labels as they are', () => {
    const labels = { some_label: 'a', someLabel: 'b' };
    expect(encode({ ...thing, labels })).toMatchObject({ free_form: thing.freeForm, labels });
  });

  it('takes stored JSON, and what is in the form of the API already', () => {
    expect(encode({ ...thing, freeForm: parsed('{"a_b":1}'), last3Runs: [new Verbatim({ any: 1 })] })).toMatchObject({
      free_form: { a_b: 1 },
      last_3_runs: [{ any: 1 }],
    });
    expect(encode(new Verbatim(thing))).toBe(thing);
    expect(parsed(null)).toBeNull();
  });

  it('keeps an object as it is that may have other fields', () => {
    const open = Type.Object({ some_key: text('Key.') }, { additionalProperties: true });
    const value = { some_key: 'a', more: 1 };
    expect([encoder(open)(value), decoder(open)(value)]).toEqual([value, value]);
  });

  it('converts a list while it is read', async () => {
    async function* visits() {
      yield { nodeId: 'n', endedAtMs: 0 };
    }
    const { visits: sent } = encoder(Type.Object({ visits: listOf(Visit, 'Visits.') }))({ visits: visits() }) as {
      visits: AsyncIterable<unknown>;
    };
    const read: unknown[] = [];
    for await (const visit of sent) read.push(visit);
    expect(read).toEqual([{ node_id: 'n', ended_at: '1970-01-01T00:00:00.000Z' }]);
  });

  it('has a type', () => {
    expectTypeOf<Exclude<Encodable<Type.Static<typeof Visit>>, Verbatim>>().toEqualTypeOf<{
      readonly nodeId: string;
      readonly endedAtMs: number | null;
    }>();
  });

  it('must have one form', () => {
    expect(() => encoder(Type.Union([Visit, Thing]))).toThrow('no codec');
  });
});

describe('a request', () => {
  const Request = Type.Object({
    workflow_id: text('Workflow.'),
    at_most: optional(Type.Integer(), 'Default 5.'),
    input: anyJson('Any.'),
  });

  it('is read under the names of the program, without fields that the schema does not know', () => {
    expect(decoder(Request)({ workflow_id: 'w', at_most: null, input: { a_b: 1 }, more: 1 })).toEqual({
      workflowId: 'w',
      atMost: null,
      input: { a_b: 1 },
    });
    expect(decoder(Request)(undefined)).toBeUndefined();
    expectTypeOf<Decoded<Type.Static<typeof Request>>['atMost']>().toEqualTypeOf<number | null | undefined>();
  });

  it('takes a default for what is absent or null', () => {
    const given: { readonly a?: number | null; readonly b?: number | null; readonly c: null } = { a: null, c: null };
    const read = withDefaults(given, { a: 1, b: 2 });
    expect(read).toEqual({ a: 1, b: 2, c: null });
    expectTypeOf(read).toEqualTypeOf<{ readonly a: number; readonly b: number; readonly c: null }>();
  });
});
