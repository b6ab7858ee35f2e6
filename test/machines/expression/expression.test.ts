import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compileExpression,
  evaluate,
  isTrue,
  references,
  type Scope,
  unknownOperations,
} from '../../../machines/expression/index.ts';
import { truthy } from '../../../machines/expression/values.ts';
import type { Json } from '../../../machines/json.ts';
import { cpuMs } from '../../support/cpu.ts';
import { sampleOf } from '../../support/properties.ts';

const scope: Scope = {
  state: {
    amount: 5000,
    attempts: 3,
    confidence: 0.8,
    vip: true,
    zero: 0,
    nothing: null,
    empty: '',
    none: [],
    bare: {},
    name: 'Ann',
    five: '5',
    q: 'SELECT 1',
    critique: 'ok SCORE: 4 of 5',
    items: [1, 'two', { deep: ['x'] }],
    'step-1': { ok: true },
    step: 7,
    'my node': { approved: true },
    decision: 'from state',
  },
  output: { decision: 'approved', status: 'auto_approved', priority: 'high', x: [1] },
  input: { order: 'o1' },
  env: { REGION: 'eu' },
  facts: { 'execution.id': 'exec_1', 'node.id': 'n1' },
};

const value = (text: string, within: Scope = scope): Json => {
  const result = evaluate(compileExpression(text), within);
  if (result.error !== undefined) throw new Error(`${text}: ${result.error}`);
  return result.value;
};
const errorOf = (text: string, within: Scope = scope): string | undefined => evaluate(compileExpression(text), within).error;

describe('a condition', () => {
  it.each([
    ['state.vip', true],
    ['state.amount', true],
    ['state.name', true],
    ['state.items', true],
    ['state.missing', false],
    ['state.missing.deeper', false],
    ['state.nothing', false],
    ['state.zero', false],
    ['state.empty', false],
    ['state.none', false],
    ['state.bare', false],
  ])('%s as a condition is %s', (text, expected) => {
    expect(isTrue(compileExpression(text), scope)).toBe(expected);
  });

  it.each([
    ['state.amount == 5000', true],
    ['state.amount == 5000.0', true],
    ['state.five == 5', false],
    ['state.five == "5"', true],
    ["state.five == '5'", true],
    ['state.five != 5', true],
    ['state.vip == true', true],
    ['state.vip == True', true],
    ['state.missing == null', true],
    ['state.nothing == None', true],
    ['state.vip == 1', false],
    ['state.items == [1, "two", {"deep": ["x"]}]', true],
    ['state.bare == {}', true],
    ['state.items[2] == {deep: ["x"]}', true],
    ['state.amount >= 5000', true],
    ['state.amount <= 4999', false],
    ['state.amount > 4999.5', true],
    ['state.attempts < 3', false],
    ['state.confidence >= 0.8', true],
    ["state.name < 'Bob'", true],
    ["output.priority == 'high'", true],
    ["output.status in ['approved','auto_approved']", true],
    ["output.status not in ['approved','auto_approved']", false],
    ["'SELECT' in state.q.upper() and 'DROP' not in state.q.upper()", true],
    ["'vip' in state", true],
    ["int(state.critique.split('SCORE:')[1].split()[0]) >= 4", true],
    ['len(output.x) > 0', true],
    ["env.REGION == 'eu'", true],
    ["input.order == 'o1'", true],
    ["decision == 'approved'", true],
    ["name == 'Ann'", true],
    ['unheard_of == null', true],
    ['state.vip and state.amount > 1', true],
    ['state.vip && !state.zero', true],
    ['state.zero or state.vip', true],
    ['state.zero || false', false],
    ['not state.vip', false],
    ['not state.amount > 1 or true', true],
    ['not (state.vip and state.zero)', true],
    ['(state.amount + 1) * 2 == 10002', true],
    ['state.step-1.ok', true],
    ['state.step - 1 == 6', true],
    ['state.step --1 == 8', true],
    ['state.a-é == state.none.x', true],
    ["state['step-1'].ok", true],
    ["state['my node'].approved", true],
    ['state.items.0 == 1', true],
    ['state.items.2.deep.0 == "x"', true],
    ['state.items[-1].deep', true],
    ['{{ state.vip }}', true],
  ])('%s is %s', (text, expected) => {
    expect(errorOf(text)).toBeUndefined();
    expect(isTrue(compileExpression(text), scope)).toBe(expected);
  });

  it.each([
    'state.amount ==',
    'state.amount = 5',
    '== 5',
    '(state.vip',
    'state.vip)',
    'state..vip',
    'state.',
    '"open',
    'a b',
    'state.items[',
    'len(',
    '{"a" 1}',
    '',
    '   ',
    '@',
    'state.name < 5',
    'state.vip + 1',
    'size(state.items)',
    'state.name.reverse()',
    'state.name | reverse',
    'len()',
    'len(1)',
    '1 / 0',
    '1 % 0',
    '1e999',
    "int('x')",
    'state.items in 5',
    'min([])',
  ])('%s is false and says why', (text) => {
    expect(errorOf(text)).toEqual(expect.any(String));
    expect(isTrue(compileExpression(text), scope)).toBe(false);
  });

  it('may span lines', () => {
    expect(isTrue(compileExpression('state.vip\n  and\tstate.amount > 1'), scope)).toBe(true);
  });
});

describe('the value of', () => {
  it.each<[string, Json]>([
    ["state.name + '!'", 'Ann!'],
    ['[1] + [state.attempts]', [1, 3]],
    ['-state.attempts', -3],
    ['7 % -3', -2],
    ['-7 % 3', 2],
    ['2 + 3 * 4', 14],
    ['10 - 3 - 2', 5],
    ["'\\u0041\\n\\''", "A\n'"],
    ['int("12") + int(3.9) + int(true)', 16],
    ['float("1.5e1")', 15],
    ['str(12) + str(state.items)', '12[1,"two",{"deep":["x"]}]'],
    ['bool([])', false],
    ['abs(-2)', 2],
    ['min(3, 1, 2) + max([4, 9])', 10],
    ["max('a', 'b')", 'b'],
    ["upper('a') + lower('B')", 'Ab'],
    ["'  x '.strip()", 'x'],
    ["'a,b'.split(',')", ['a', 'b']],
    ["' a  b '.split()", ['a', 'b']],
    ["state.name.startswith('A') and state.name.endswith('n')", true],
    ["state.get('vip')", true],
    ["state.get('missing', 'fallback')", 'fallback'],
    ['output.keys()', ['decision', 'status', 'priority', 'x']],
    ['state.zero or state.name', 'Ann'],
    ['state.zero and state.name', 0],
    ['state.items[1][0]', 't'],
    ['state.items | length', 3],
    ["state.missing | default('?')", '?'],
    ["[1, 2] | join(', ')", '1, 2'],
    ["(state.name | upper) + '.'", 'ANN.'],
    ['" x " | trim', 'x'],
    ['state.bare | json', '{}'],
    ['execution.id + node.id', 'exec_1n1'],
    ['workflow.version', null],
    ['true or undefined_function()', true],
  ])('%s', (text, expected) => {
    expect(value(text)).toEqual(expected);
  });

  it.each(['naïve', 'état', '注文', 'a‿b', 'x１', 'नाम'])('a name in any script: %s', (name) => {
    const within = { ...scope, state: { [name]: 1, s: { [name]: 2, [`${name}-${name}`]: 3 } } };
    expect(value(`[${name}, state.${name}, state.s.${name}, state.s.${name}-${name}]`, within)).toEqual([1, 1, 2, 3]);
  });

  it('a bare name, from the output before the state', () => {
    expect(value('decision')).toBe('approved');
    expect(value('decision', { ...scope, output: 'no object' })).toBe('from state');
    expect(value('decision', { ...scope, output: { decision: null } })).toBe(null);
  });

  it('a state key with the name of a fact', () => {
    expect(value('workflow', { ...scope, state: { workflow: 'w' } })).toBe('w');
    expect(value('node.kind', { ...scope, state: { node: { kind: 'k' } } })).toBe('k');
  });
});

describe('a choice between two values', () => {
  it.each<[string, Json]>([
    ["'big' if state.amount > 1000 else 'small'", 'big'],
    ["'big' if state.amount > 9000 else 'small'", 'small'],
    ["'a' if state.zero else 'b' if state.vip else 'c'", 'b'],
    ["('a' if state.vip else 'b') + '!'", 'a!'],
    ['1 + 1 if state.none else 2 + 2 if state.bare else 3 + 3', 6],
    // A filter applies to its own operand.
    ["state.items | length if state.items else 'None'", 3],
    ['state.items[0] if (state.items | length) == 3 else 0', 1],
    ['1 if state.name | trim else 2', 1],
    ["state.none | join(', ') if state.none else 'None' | upper", 'NONE'],
    ["state.items['two' if state.zero else 0]", 1],
    ['[1 if state.vip else 2, {k: 3 if state.zero else 4}]', [1, { k: 4 }]],
    ["int('x') if state.zero else 'not evaluated'", 'not evaluated'],
  ])('%s', (text, expected) => {
    expect(value(text)).toEqual(expected);
  });

  it('reads names called if and else from the state', () => {
    const within = { ...scope, state: { if: 1, else: 2, x: { if: 3 } } };
    expect(value('[if, else, state.if, state.x.if, {if: if}]', within)).toEqual([1, 2, 1, 3, { if: 1 }]);
    expect(value('if if else else else', within)).toBe(1);
  });

  it.each(['1 if state.vip', '1 if', '1 if else 2', '1 else 2', 'if state.vip else 2'])('is refused unfinished: %s', (text) => {
    expect(errorOf(text)).toEqual(expect.any(String));
  });

  it('refers to all three parts', () => {
    const read = references(compileExpression('state.a if output.b else env.C'));
    expect(read.map(({ root, path }) => `${root}.${path.join('.')}`).sort()).toEqual(['env.C', 'output.b', 'state.a']);
  });

  it('with more parts than the parser nests is refused', () => {
    expect(errorOf(`${'1 if x else '.repeat(500)}2`)).toContain('nested');
  });
});

describe('the operations of the third version', () => {
  it.each<[string, unknown]>([
    ["'a long text' | truncate(6)", 'a l...'],
    ["'a long text' | truncate(6, '…')", 'a lon…'],
    ["'a long text' | truncate(6, true, '')", 'a long'],
    ["'short' | truncate", 'short'],
    ["'\u{1F600}\u{1F600}' | truncate(2, '')", '\u{1F600}'],
    ["'ab' | truncate(1)", '...'],
    ['[1, 2] | truncate(3)', '...'],
    ["'a-b-c' | replace('-', '+')", 'a+b+c'],
    ["'a-b'.replace('-', '')", 'ab'],
    ['"it\'s a title" | title', "It's A Title"],
    ["'éCOLE' | capitalize", 'École'],
    ["'a,b' | split(',') | first", 'a'],
    ["'abc' | last", 'c'],
    ["'' | first", null],
    ['[] | last', null],
    ['2.345 | round(2)', 2.35],
    ['-2.5 | round', -3],
    ['round(1.005, 2)', 1.01],
    ['1e300 | round(15)', 1e300],
    ['0.0000001 | round(3)', 0],
    ['sum([1, 2.5])', 3.5],
    ['[3, 1, 2] | sort | reverse', [3, 2, 1]],
    ["sorted(['b', 'a'])", ['a', 'b']],
    ['[1, 2, 1, {a: 1}, {a: 1}] | unique', [1, 2, { a: 1 }]],
    ["{a: 1, b: 2} | values | join('+')", '1+2'],
    ["'12' | int", 12],
    ['12 | string', '12'],
    ["'1.5' | float", 1.5],
    ['-3 | abs', 3],
    ['[3, 1] | min', 1],
    ['{a: 1} | tojson', '{"a":1}'],
  ])('%s', (text, expected) => expect(value(text)).toEqual(expected));

  it.each([
    ["'x' | truncate(-1)", 'a length from 0'],
    ["'x' | truncate('1')", 'needs numbers'],
    ["'x' | replace('', 'y')", 'not empty'],
    ['1 | first', 'a list or a text'],
    ["'x' | sum", 'takes a list'],
    ["[1, 'a'] | sort", 'compares two numbers'],
    ['1 | round(16)', '0 to 15 digits'],
    ['[1] | values', 'only an object has values'],
  ])('%s fails clearly', (text, message) => {
    expect(errorOf(text)).toContain(message);
  });
});

describe('an expression cannot reach', () => {
  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length', 'at'])('the inherited %s', (name) => {
    for (const text of [
      name,
      `state.${name}`,
      `state['${name}']`,
      `state.items.${name}`,
      `state.name.${name}`,
      `output['${name}']`,
    ]) {
      expect(value(text)).toBe(null);
    }
    expect(value(`'${name}' in state`)).toBe(false);
    expect(errorOf(`${name}()`)).toContain('unknown function');
    expect(errorOf(`state.name.${name}()`)).toContain('unknown method');
  });
});

describe('the work of an expression is limited', () => {
  const big = 'x'.repeat(1_000_000);
  const bigScope: Scope = { state: { big, list: Array(400_000).fill(1) }, output: null, input: null, env: {} };

  it.each([
    ['texts that grow', Array(300).fill('state.big').join(' + ')],
    ['lists of what is large', `[${Array(300).fill('state.big').join(', ')}]`],
    ['long searches', Array(500).fill("'y' in big").join(' or ')],
    ['long comparisons', Array(500).fill("big == big + ''").join(' and ')],
    ['many items', Array(500).fill('2 in list').join(' or ')],
    ['many splits', Array(300).fill("len(big.split('y'))").join(' + ')],
    ['joins that repeat a text', "list | join('a long separator')"],
    ['nesting', `${'('.repeat(5_000)}1`],
    ['signs', `${'-'.repeat(5_000)}1`],
    ['negations', `${'!'.repeat(5_000)}1`],
    ['chains', `state${'.a'.repeat(2_000)}`],
    ['its length', ' '.repeat(10_001)],
  ])('%s', (_what, text) => {
    const tookMs = cpuMs(() => expect(errorOf(text, bigScope)).toEqual(expect.any(String)));
    expect(tookMs).toBeLessThan(1_000);
  });

  it('values nested too deeply to serialise are an error', () => {
    const deep: Json = JSON.parse(`${'['.repeat(9_000)}${']'.repeat(9_000)}`);
    for (const text of ['str(state)', 'state | json', '[state]', "[state] | join(',')"]) {
      expect(errorOf(text, { ...scope, state: { deep } })).toContain('nested too deeply');
    }
  });

  it('values nested too deeply to compare are an error', () => {
    const nested = (levels: number): Json => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);
    expect(errorOf('state.a == state.b', { ...scope, state: { a: nested(5_000), b: nested(5_000) } })).toContain('nested');
  });
});

describe('references', () => {
  it('are the constant parts of every path', () => {
    const expression = compileExpression("state.a.b[0] == output.x and name or env['R'] in state[input.k].z and state.get('g')");
    expect(references(expression)).toEqual([
      { root: 'state', path: ['a', 'b', '0'] },
      { root: 'output', path: ['x'] },
      { root: 'bare', path: ['name'] },
      { root: 'env', path: ['R'] },
      { root: 'state', path: [] },
      { root: 'input', path: ['k'] },
      { root: 'state', path: ['g'] },
    ]);
  });

  it('include facts of the execution', () => {
    expect(references(compileExpression('execution.id'))).toEqual([{ root: 'execution.id', path: [] }]);
  });

  it('of an expression that cannot be parsed are none', () => {
    expect(references(compileExpression('(('))).toEqual([]);
  });

  it('include undefined operations', () => {
    const names = unknownOperations(compileExpression('size(a) + b.reverse() == (c | shout) and len(d)')).map(
      ({ what, name }) => `${what} ${name}`,
    );
    expect(names).toEqual(expect.arrayContaining(['function size', 'method reverse', 'filter shout']));
    expect(names).toHaveLength(3);
  });
});

describe('properties', () => {
  /** The value as a store returns it. */
  const throughText = (json: unknown): Json => JSON.parse(JSON.stringify(json));
  const piece = fc.constantFrom(
    ...[
      'state',
      'output',
      '.a',
      '.b',
      '[0]',
      "['k']",
      ' == ',
      ' and ',
      ' or ',
      'not ',
      ' in ',
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      ',',
      ':',
    ],
    ...[
      'len(',
      '.upper()',
      ' | json',
      '1',
      '2.5',
      '"t"',
      "'s'",
      ' + ',
      ' - ',
      '*',
      '/',
      '%',
      '<',
      '>=',
      '!',
      '&&',
      '|',
      '.',
      '\\',
      '-',
      'é',
    ],
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.array(piece, { maxLength: 25 }).map((parts) => parts.join('')),
  );

  it('evaluation never throws and returns JSON', () => {
    fc.assert(
      fc.property(text, fc.jsonValue(), fc.jsonValue(), (source, state, output) => {
        const expression = compileExpression(source);
        const within: Scope = { state: throughText(state), output: throughText(output), input: null, env: {} };
        const result = evaluate(expression, within);
        expect(throughText(result.value)).toEqual(result.value);
        expect(isTrue(expression, within)).toBe(result.error === undefined && truthy(result.value));
        expect(references(expression).every(({ path }) => path.every((key) => typeof key === 'string'))).toBe(true);
      }),
      { numRuns: sampleOf(1_000) },
    );
  });

  it('every JSON value equals itself and differs from its text', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (json) => {
        const within: Scope = {
          state: { a: json as Json, b: JSON.parse(JSON.stringify(json)) },
          output: null,
          input: null,
          env: {},
        };
        expect(value('state.a == state.b', within)).toBe(true);
        expect(value('[state.a] == [[state.a]]', within)).toBe(false);
      }),
    );
  });
});
