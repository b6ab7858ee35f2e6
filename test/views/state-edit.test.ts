import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JsonObject, mergePatch } from '../../machines/json.ts';
import { stateEdit } from '../../src/views/state-edit.ts';

const state = fc.dictionary(
  fc.string().filter((key) => key !== '__proto__'),
  fc.jsonValue(),
) as fc.Arbitrary<JsonObject>;

describe('stateEdit', () => {
  it('gives a patch that leads to the edited state, or says that there is none', () => {
    fc.assert(
      fc.property(state, state, (before, after) => {
        const edit = stateEdit(before, after);
        if ('patch' in edit) expect(mergePatch(before, edit.patch)).toEqual(after);
        else expect(edit.problem).toContain('cannot become null');
      }),
    );
  });

  it('has only what was changed', () => {
    expect(stateEdit({ a: 1, b: { c: 1, d: 2 }, gone: true }, { a: 1, b: { c: 1, d: 3 }, more: [null] })).toEqual({
      patch: { b: { d: 3 }, gone: null, more: [null] },
    });
    expect(stateEdit({ a: null }, { a: null })).toEqual({ patch: {} });
  });

  it('refuses a null that a merge patch would lose, and what is no object', () => {
    expect(stateEdit({ a: { b: 1 } }, { a: { b: null } })).toEqual({
      problem: '/a/b cannot become null: in a merge patch, null removes a key.',
    });
    expect(stateEdit({}, [])).toEqual({ problem: 'A state is an object.' });
  });
});
