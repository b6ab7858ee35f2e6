import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Scope } from '../../../machines/expression/index.ts';
import { compileTemplate, referencesOf, render } from '../../../machines/expression/template.ts';
import type { Json } from '../../../machines/json.ts';
import { cpuMs } from '../../support/cpu.ts';

const scope: Scope = {
  state: {
    id: 7,
    name: 'Ann',
    tags: ['a', 'b'],
    order: { total: 9.5, lines: [{ sku: 'x' }] },
    'step-1': { ok: true },
    nothing: null,
  },
  output: { decision: 'approved' },
  input: { q: [1, 2] },
  env: { TOKEN: 's3cret' },
  facts: {
    'execution.id': 'exec_1',
    'execution.workflow_id': 'w',
    'node.id': 'send',
    'workflow.id': 'w',
    'workflow.version': '2',
  },
};

const rendered = (value: Json, within: Scope = scope): Json => {
  const result = render(compileTemplate(value), within);
  expect(result.errors).toEqual([]);
  return result.value;
};

describe('a mapping value', () => {
  it.each<[string, Json]>([
    ['{{ state.id }}', 7],
    ['{{state.id}}', 7],
    ['  {{ state.tags }}\n', ['a', 'b']],
    ['{{ state.order }}', { total: 9.5, lines: [{ sku: 'x' }] }],
    ['{{ state.missing }}', null],
    ['{{ state.id + 1 }}', 8],
    ['{{ input }}', { q: [1, 2] }],
    ["{{ {'a': {'b': state.id}} }}", { a: { b: 7 } }],
    ["{{ '}}' }}", '}}'],
    ['state.order.lines[0].sku', 'x'],
    ['state.order.lines.0', { sku: 'x' }],
    ['state.step-1.ok', true],
    ['input.q', [1, 2]],
    ['output.decision', 'approved'],
    ['state.missing', null],
  ])('that is exactly one expression or path keeps its type: %s', (text, expected) => {
    expect(rendered(text)).toEqual(expected);
  });

  it.each<[string, Json]>([
    ['Hello {{ state.name }}!', 'Hello Ann!'],
    ['{{ state.name }}{{ state.id }}', 'Ann7'],
    ['#{{ state.id }}', '#7'],
    ['{{ state.order }} and {{ state.tags }}', '{"total":9.5,"lines":[{"sku":"x"}]} and ["a","b"]'],
    ['[{{ state.missing }}|{{ state.nothing }}]', '[|]'],
    ["{{ state.tags | join(', ') }}.", 'a, b.'],
    ["{{ state.missing | default('none') }}.", 'none.'],
    ['{{ state.name | upper }} {{ state.name | lower }} {{ " x " | trim }}.', 'ANN ann x.'],
    ['{{ state.tags | length }} {{ state.tags | json }}', '2 ["a","b"]'],
    ['Bearer {{ env.TOKEN }}', 'Bearer s3cret'],
    ['{{ execution.id }}/{{ node.id }}/{{ workflow.id }}@{{ workflow.version }}', 'exec_1/send/w@2'],
    ['{{ execution.workflow_id }}', 'w'],
    ['{{ state.none | join(\'\\n\') if state.none else "None" }}', 'None'],
  ])('with other text is a text: %s', (text, expected) => {
    expect(rendered(text)).toBe(expected);
  });

  it.each([
    'plain',
    'state',
    'input',
    'env.TOKEN',
    'a state.id',
    'state.id!',
    '{{ open',
    '}} {{',
    '{ state.id }',
    '',
    '{% if x %}',
  ])('without an expression is unchanged: %j', (text) => {
    expect(rendered(text)).toBe(text);
  });

  it('is rendered inside objects and lists, without their keys', () => {
    expect(
      rendered({ '{{ state.id }}': ['{{ state.id }}', 'state.name', 5, null, true, { deep: 'No {{ state.id }}' }] }),
    ).toEqual({
      '{{ state.id }}': [7, 'Ann', 5, null, true, { deep: 'No 7' }],
    });
  });

  it('is not rendered again', () => {
    expect(rendered('{{ state.x }} {{ state.x }}', { ...scope, state: { x: '{{ state.y }}', y: 1 } })).toBe(
      '{{ state.y }} {{ state.y }}',
    );
  });

  it('that cannot be evaluated is null, or empty in a text, and has an error', () => {
    expect(render(compileTemplate(['{{ state.id.. }}', 'a{{ nope() }}b']), scope)).toEqual({
      value: [null, 'ab'],
      errors: [expect.stringContaining('{{ state.id.. }}'), expect.stringContaining('unknown function "nope"')],
    });
  });

  it('that looks like a template and is none is suspicious', () => {
    expect(compileTemplate({ a: 'Hello {{ state.name', b: '{% if x %}', c: '{{ state.id }}', d: 'fine' }).suspicious).toEqual([
      'Hello {{ state.name',
      '{% if x %}',
    ]);
  });
});

describe('the cost of a template is limited', () => {
  const big: Scope = { ...scope, state: { big: 'x'.repeat(1_000_000), many: Array(300_000).fill(null) } };

  it.each<[string, Json]>([
    ['values repeated', Array(100).fill('{{ state.big }}')],
    ['texts repeated', '{{ state.big }}'.repeat(100)],
    ['lists repeated', Array(100).fill('state.many')],
    ['work repeated', Array(100).fill('{{ len(state.big.upper()) }}')],
    ['expressions without end', '{{ 1 }}'.repeat(100_000)],
  ])('%s', (_what, value) => {
    const tookMs = cpuMs(() => {
      const { errors } = render(compileTemplate(value), big);
      expect(errors.at(-1)).toEqual(expect.stringMatching(/budget|more than/));
    });
    expect(tookMs).toBeLessThan(1_000);
  });

  it('values nested too deeply to serialise', () => {
    const deep: Json = JSON.parse(`${'['.repeat(9_000)}${']'.repeat(9_000)}`);
    for (const value of ['{{ state.deep }}', 'It is {{ state.deep }}', { a: ['state.deep'] }]) {
      expect(render(compileTemplate(value), { ...scope, state: { deep } })).toEqual({
        value: null,
        errors: [expect.stringContaining('nested too deeply')],
      });
    }
  });

  it.each(['{{'.repeat(500_000), `{{ '${'{{ '.repeat(300_000)}`, `state.${'a.'.repeat(500_000)}`, `${'{{" }}'.repeat(100_000)}`])(
    'texts that only look like one',
    (text) => {
      expect(cpuMs(() => compileTemplate(text))).toBeLessThan(1_000);
    },
  );
});

describe('references', () => {
  it('are those of all expressions', () => {
    expect(referencesOf(compileTemplate({ a: '{{ state.a.b }} {{ env.X }}', b: ['output.c', 'text'] }))).toEqual([
      { root: 'state', path: ['a', 'b'] },
      { root: 'env', path: ['X'] },
      { root: 'output', path: ['c'] },
    ]);
  });
});

describe('properties', () => {
  it('rendering never throws', () => {
    const text = fc
      .array(fc.constantFrom('{{', '}}', '{', '}', 'state.a', ' ', "'", '"', '|', 'join', '\\', '[0]', 'x', '.'), {
        maxLength: 20,
      })
      .map((parts) => parts.join(''));
    const value = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 3 }, text, fc.jsonValue(), fc.array(tie('value')), fc.dictionary(text, tie('value'))),
    })).value;
    fc.assert(
      fc.property(value, (json) => {
        const { errors } = render(compileTemplate(json as Json), scope);
        expect(errors.every((error) => error.length < 1_000)).toBe(true);
      }),
    );
  });

  it('a value without braces and paths renders to itself', () => {
    const plain = fc.jsonValue().filter((value) => !/\{\{|state|input|output/.test(JSON.stringify(value)));
    fc.assert(
      fc.property(
        plain,
        (json) => void expect(render(compileTemplate(json as Json), scope)).toEqual({ value: json, errors: [] }),
      ),
    );
  });
});
