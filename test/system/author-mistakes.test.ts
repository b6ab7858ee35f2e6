import { resolve } from 'node:path';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';

/** What the mistakes are made with. */
const HEAD = `
import { agent, createRuntime, defineTool, durable, openSqlite, Type, workflow } from ${JSON.stringify(resolve('dist/bundle/src/index.js'))};

const compose = ({ name }: { name: string }) => 'Hello ' + name;
const count = async ({ lines }: { lines: readonly { price: number }[] }) => lines.length;
const charge = defineTool({
  input: Type.Object({ amount: Type.Number(), card: Type.String() }),
  output: Type.Object({ receipt: Type.String() }),
  run: () => ({ receipt: 'r' }),
});
const base = {
  id: 'sale',
  version: '1',
  state: Type.Object({
    name: Type.String(),
    amount: Type.Optional(Type.Number()),
    greeting: Type.Optional(Type.String()),
    order: Type.Optional(Type.Object({ id: Type.String() })),
    lines: Type.Optional(Type.Array(Type.Object({ price: Type.Number() }))),
  }),
  tools: { compose, charge, count },
  events: { paid: Type.Object({ by: Type.String() }) },
  retryPolicies: { patient: { maxAttempts: 6 } },
} as const;
const shipping = workflow({
  id: 'shipping',
  version: '1',
  state: Type.Object({ order: Type.String(), weight: Type.Optional(Type.Number()), tracking: Type.Optional(Type.String()) }),
  nodes: { ship: { type: 'wait', duration: 5 } },
});
const sale = workflow({ ...base, nodes: { review: { type: 'human_approval', message: 'Sell?' } } });
const runtime = await createRuntime({ store: await openSqlite({ path: 'sales.db' }) });
const execution = await runtime.start(sale, { name: 'Ada' });
const total = durable({
  id: 'total',
  input: Type.Object({ order: Type.String() }),
  output: Type.Object({ total: Type.Number() }),
  run: () => ({ total: 3 }),
});
const counted = { id: 'counted', input: Type.Object({ n: Type.Number() }) } as const;
const limits = { maxIterations: 3, maxCostUsd: 1, timeoutSeconds: 60 };
`;

const nodes = (text: string) => `workflow({ ...base, nodes: { ${text} } });`;
const charged = (text: string) => nodes(`charge: { ${text} }`);
const shipped = (text: string) => nodes(`ship: { type: 'subgraph', workflow: shipping, ${text} }`);
const mapped = (text: string) => nodes(`all: { type: 'map', ${text} }`);

const called = (text: string) => `durable({ ...counted, run: async (ctx, { n }) => { ${text} } });`;
const returned = (output: string, run: string) => `durable({ id: 'r', output: ${output}, run: ${run} });`;

/** The mistake, and a part of what the compiler prints. */
const MISTAKES: readonly (readonly [mistake: string, code: string, says: string])[] = [
  ['a kind that does not exist', nodes(`a: { type: 'aproval' }`), `Type '"aproval"' is not assignable to type '"tool" |`],
  ['a key that does not exist', nodes(`a: { type: 'wait', duration: 5, retires: 3 }`), 'there is no key \\"retires\\"'],
  [
    'a key in snake_case',
    nodes(`a: { type: 'human_approval', message: 'Sell?', on_approved: 'end' }`),
    'there is no key \\"on_approved\\"',
  ],
  ['a key that is missing', nodes(`a: { type: 'map', items: 'state.lines' }`), 'Lacks<"do">'],
  [
    'a target that does not exist',
    nodes(`a: { type: 'wait', duration: 5, next: 'b' }`),
    `Type '"b"' is not assignable to type '"`,
  ],
  [
    'one of several targets',
    nodes(`a: { type: 'wait', duration: 5, next: ['end', 'b'] }`),
    `Type '"b"' is not assignable to type '"`,
  ],
  [
    'the target of a route',
    nodes(`a: { type: 'wait', duration: 5, next: [{ when: 'state.amount > 3', to: 'b' }] }`),
    `Type '"b"' is not assignable to type '"`,
  ],
  ['a route without a condition', nodes(`a: { type: 'wait', duration: 5, next: [{ to: 'end' }] }`), `required in type 'Lacks<"`],
  [
    'where an approval leads to',
    nodes(`a: { type: 'human_approval', message: 'Sell?', onApproved: 'b' }`),
    `Type '"b"' is not assignable to type '"`,
  ],
  [
    'a branch without a target',
    nodes(`a: { type: 'condition', branches: [{ if: 'state.amount > 3' }] }`),
    `required in type 'Lacks<"`,
  ],
  [
    'the target of a branch',
    nodes(`a: { type: 'condition', branches: [{ if: 'state.amount > 3', next: 'b' }] }`),
    `Type '"b"' is not assignable to type '"`,
  ],
  [
    'the start',
    `workflow({ ...base, start: 'b', nodes: { a: { type: 'wait', duration: 5 } } });`,
    `Type '"b"' is not assignable to type '"`,
  ],
  [
    'where a budget leads to',
    `workflow({ ...base, onBudgetExceeded: 'b', nodes: { a: { type: 'wait', duration: 5 } } });`,
    `Type '"b"' is not assignable to type '"`,
  ],
  [
    'a state key in a template',
    nodes(`a: { type: 'human_approval', message: 'Pay {{ state.amuont }}?' }`),
    'state has no \\"amuont\\"',
  ],
  [
    'a state key in a condition',
    nodes(`a: { type: 'condition', branches: [{ if: 'state.amuont > 3', next: 'end' }] }`),
    'state has no \\"amuont\\"',
  ],
  [
    'a key inside the state',
    nodes(`a: { type: 'condition', branches: [{ if: 'state.order.number == 3', next: 'end' }] }`),
    'state.order has no \\"number\\"',
  ],
  ['a tool that does not exist', nodes(`pay: { tool: 'chrage', input: { amount: 3, card: 'c' } }`), `Did you mean '"charge"'?`],
  ['a node without a tool of its name', nodes(`pay: { input: { amount: 3, card: 'c' } }`), 'Lacks<"tool">'],
  ['an input without a field', charged(`input: { amount: 3 }`), 'Lacks<"card">'],
  ['an input with another field', charged(`input: { amount: 3, card: 'c', currency: 'EUR' }`), 'there is no key \\"currency\\"'],
  ['a boolean for a number', charged(`input: { amount: true, card: 'c' }`), `Type 'boolean' is not assignable to type 'number'`],
  ['a text for a number', charged(`input: { amount: 'three', card: 'c' }`), `Type 'string' is not assignable to type 'number'`],
  [
    'a number of the state for a text',
    charged(`input: { amount: 3, card: '{{ state.amount }}' }`),
    'state.amount is a number, not a string',
  ],
  [
    'a text of the state for a number',
    charged(`input: { amount: '{{ state.name }}', card: 'c' }`),
    'state.name is a string, not a number',
  ],
  [
    'a path to a text for a number',
    charged(`input: { amount: 'state.order.id', card: 'c' }`),
    'state.order.id is a string, not a number',
  ],
  [
    'a text around a number',
    charged(`input: { amount: '{{ state.amount }} EUR', card: 'c' }`),
    'a text with {{ }} is a string, not a number',
  ],
  [
    'an object of the state for a list',
    nodes(`count: { input: { lines: '{{ state.order }}' } }`),
    'state.order is an object, not a list',
  ],
  ['a list of the state as the whole input', charged(`input: '{{ state.lines }}'`), 'state.lines is a list, not an object'],
  [
    'an output key that does not exist',
    charged(`input: { amount: 3, card: 'c' }, outputKey: 'receipt'`),
    `Type '"receipt"' is not assignable to type '"name" |`,
  ],
  [
    'an output key of another type',
    nodes(`count: { input: { lines: 'state.lines' }, outputKey: 'greeting' }`),
    'what the tool returns is a number, not a string',
  ],
  [
    'a key that a tool does not return',
    nodes(
      `charge: { input: { amount: 3, card: 'c' }, next: 'ask' }, ask: { type: 'human_approval', message: '{{ state.reciept }}' }`,
    ),
    'state has no \\"reciept\\"',
  ],
  [
    'an event that does not exist',
    nodes(`a: { type: 'wait', event: 'payed' }`),
    `Type '"payed"' is not assignable to type '"paid"'`,
  ],
  [
    'a retry policy that does not exist',
    nodes(`compose: { input: { name: 'x' }, retryPolicy: 'patiently' }`),
    `Did you mean '"patient"'?`,
  ],
  ['a number for a retry', nodes(`compose: { input: { name: 'x' }, retry: 3 }`), 'a number, not an object'],
  [
    'a key of a retry',
    nodes(`compose: { input: { name: 'x' }, retry: { max_attempts: 3 } }`),
    'there is no key \\"max_attempts\\"',
  ],
  [
    'a class of errors',
    nodes(`compose: { input: { name: 'x' }, retry: { retryableOn: [{ class: 'busy' }] } }`),
    'Lacks<"custom">',
  ],
  [
    'a duration in words',
    nodes(`compose: { input: { name: 'x' }, timeout: '3 minutes' }`),
    `Type '"3 minutes"' is not assignable to type 'Duration'`,
  ],
  ['a child without a field', shipped(`input: { weight: 3 }`), 'Lacks<"order">'],
  ['a number for a text of a child', shipped(`input: { order: '{{ state.amount }}' }`), 'state.amount is a number, not a string'],
  ['another field for a child', shipped(`input: { order: 'o', colour: 'red' }`), 'there is no key \\"colour\\"'],
  ['a key that a child does not have', shipped(`outputMapping: { greeting: 'state.traking' }`), 'state has no \\"traking\\"'],
  [
    'a key for what a child has that does not exist',
    shipped(`outputMapping: { track: 'state.tracking' }`),
    'the state has no \\"track\\"',
  ],
  [
    'a key of another type for what a child has',
    shipped(`outputMapping: { amount: 'state.tracking' }`),
    'state.tracking is a string, not a number',
  ],
  [
    'a tool that a model does not have',
    nodes(`a: { type: 'agent', model: 'm', prompt: 'Help.', tools: ['chrage'] }`),
    `Did you mean '"charge"'?`,
  ],
  [
    'a text for a list of items',
    mapped(`items: '{{ state.name }}', do: { type: 'tool', tool: 'compose', input: { name: 'x' } }`),
    'is a string, not a list',
  ],
  [
    'a key of an item',
    mapped(`items: 'state.lines', do: { type: 'tool', tool: 'charge', input: { amount: '{{ item.prise }}', card: 'c' } }`),
    'item has no \\"prise\\"',
  ],
  [
    'an item of another type',
    mapped(`items: 'state.lines', as: 'line', do: { type: 'tool', tool: 'compose', input: { name: '{{ line.price }}' } }`),
    'line.price is a number, not a string',
  ],
  [
    'a node in a test',
    `workflow({ ...base, nodes: { a: { type: 'wait', duration: 5 } }, tests: [{ name: 't', expect: { visited: ['b'] } }] });`,
    `Type '"b"' is not assignable to type `,
  ],
  [
    'the input of a test',
    `workflow({ ...base, nodes: { a: { type: 'wait', duration: 5 } }, tests: [{ name: 't', input: { name: 3 } }] });`,
    `Type 'number' is not assignable to type 'string'`,
  ],
  [
    'the input of a schedule',
    `workflow({ ...base, schedule: { cron: '0 8 * * *', input: { nome: 'x' } }, nodes: { a: { type: 'wait', duration: 5 } } });`,
    `'nome' does not exist in type`,
  ],
  ['the input of a start', `await runtime.start(sale, { nome: 'Ada' });`, `'nome' does not exist in type`],
  [
    'an event that is sent',
    `await execution.sendEvent('payed', { by: 'Ada' });`,
    `"payed"' is not assignable to parameter of type '"paid"'`,
  ],
  ['what an event carries', `await execution.sendEvent('paid', { from: 'Ada' });`, `'from' does not exist in type`],
  ['a node that is approved', `await execution.approve({ nodeId: 'reviw', decision: 'approved' });`, `Did you mean '"review"'?`],
  [
    'a decision',
    `await execution.approve({ decision: 'yes' });`,
    `Type '"yes"' is not assignable to type '"approved" | "rejected"'`,
  ],
  ['a key of the final state', `(await execution.settled()).state.greting;`, `Did you mean 'greeting'?`],
  ['a key of the input of a call', called(`await ctx.call(total, { ordr: 'A' });`), `'ordr' does not exist in type`],
  [
    'a value of the input of a call',
    called(`await ctx.call(total, { order: n });`),
    `Type 'number' is not assignable to type 'string'`,
  ],
  ['a call without its input', called(`await ctx.call(total);`), 'Expected 2-3 arguments, but got 1'],
  [
    'what a call gives',
    called(`const { total: text }: { total: string } = await ctx.call(total, { order: 'A' });`),
    `Type 'number' is not assignable to type 'string'`,
  ],
  [
    'the input with which a function continues',
    called(`await ctx.continueAsNew({ n: 'two' });`),
    `Type 'string' is not assignable to type 'number'`,
  ],
  ['a continuation without the input', called(`await ctx.continueAsNew();`), 'Expected 1 arguments, but got 0'],
  [
    'a field of what a function returns',
    returned(`Type.Object({ total: Type.Number() })`, `async () => ({ total: 'x' })`),
    'total is \\"x\\", not a number',
  ],
  [
    'a field that a function does not return',
    returned(`Type.Object({ total: Type.Number() })`, `() => ({ totl: 3 })`),
    'the result lacks \\"total\\"',
  ],
  [
    'a field within what a function returns',
    returned(
      `Type.Object({ lines: Type.Array(Type.Object({ price: Type.Number() })) })`,
      `async () => ({ lines: [{ price: true }] })`,
    ),
    'lines[].price is a boolean, not a number',
  ],
  ['what a function returns', returned(`Type.Number()`, `async () => ({})`), 'the result is an object, not a number'],
  [
    'a strategy that does not exist',
    `agent({ id: 'a', strategy: 'reakt', goal: 'Help', model: 'm', limits });`,
    `Did you mean '"react"'?`,
  ],
  [
    'limits that are missing',
    `agent({ id: 'a', strategy: 'react', goal: 'Help', model: 'm', limits: { maxIterations: 3, maxCostUsd: 1 } });`,
    `Property 'timeoutSeconds' is missing`,
  ],
];

/** What is right, and near to a mistake. */
const RIGHT: readonly (readonly [what: string, code: string])[] = [
  ['a number of the state for a number', charged(`input: { amount: '{{ state.amount }}', card: 'card of {{ state.name }}' }`)],
  [
    'a value that the compiler does not know',
    nodes(
      `charge: { input: { amount: '{{ state.ask.amount }}', card: '{{ state.ask.comment | upper }}' } }, ask: { type: 'human_approval', message: 'Sell?' }`,
    ),
  ],
  ['an expression for a number', charged(`input: { amount: '{{ state.amount + 1 }}', card: '{{ state.name }}' }`)],
  ['a template for the whole input', nodes(`compose: { input: '{{ state }}' }`)],
  ['a number in a message', nodes(`a: { type: 'human_approval', message: '{{ state.amount }}' }`)],
  [
    'a key that a tool returns',
    nodes(
      `charge: { input: { amount: 3, card: 'c' }, next: 'ask' }, ask: { type: 'human_approval', message: '{{ state.receipt }}' }`,
    ),
  ],
  ['an output key of the right type', nodes(`count: { input: { lines: 'state.lines' }, outputKey: 'amount' }`)],
  [
    'errors of a class of its own',
    nodes(`compose: { input: { name: 'x' }, retry: { retryableOn: ['timeout', 503, { custom: 'busy' }] } }`),
  ],
  [
    'a child',
    shipped(
      `input: { order: '{{ state.order.id }}' }, outputMapping: { greeting: 'state.tracking', amount: '{{ state.weight }}' }`,
    ),
  ],
  [
    'items of a list',
    mapped(
      `items: 'state.lines', as: 'line', do: { type: 'tool', tool: 'charge', input: { amount: '{{ line.price }}', card: '{{ state.name }}' } }`,
    ),
  ],
  [
    'what a call gives, also of an id',
    called(
      `const a: number = (await ctx.call(total, { order: 'A' })).total; const b: number = (await ctx.call<{ b: number }>('other', { n })).b; return a + b;`,
    ),
  ],
  ['the input with which a function continues', called(`if (n > 2) return ctx.continueAsNew({ n: n + 1 }); return { n };`)],
  [
    'one of several literals that a function returns',
    returned(
      `Type.Object({ kind: Type.Union([Type.Literal('a'), Type.Literal('b')]), note: Type.Optional(Type.String()) })`,
      `async (ctx) => { if ((await ctx.now()) > 3) return { kind: 'a', note: 'x' }; return { kind: 'b' }; }`,
    ),
  ],
  [
    'a workflow without a state',
    `workflow({ id: 'free', nodes: { a: { type: 'human_approval', message: '{{ state.anything.at.all }}', onApproved: 'end' } } });`,
  ],
];

/** Deeper errors cannot be read. */
const MOST_LINES = 3;
/** Of the last line, which says what is wrong. */
const MOST_CHARS = 320;

describe('the compiler, of a workflow in TypeScript', () => {
  let errorsOf: (code: string) => readonly string[];

  beforeAll(() => {
    const codes = [...MISTAKES, ...RIGHT].map(([, code]) => code);
    const name = resolve('author-mistakes.ts');
    const text = `${HEAD}${codes.join('\n')}\n`;
    const options: ts.CompilerOptions = {
      ...{ strict: true, noEmit: true, skipLibCheck: true, exactOptionalPropertyTypes: true, types: ['node'] },
      ...{ module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2023, moduleDetection: ts.ModuleDetectionKind.Force },
    };
    const host = ts.createCompilerHost(options);
    const { getSourceFile, fileExists } = host;
    host.fileExists = (file) => file === name || fileExists(file);
    host.getSourceFile = (file, ...how) =>
      file === name ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2023, true) : getSourceFile(file, ...how);
    const program = ts.createProgram([name], options, host);
    const source = program.getSourceFile(name);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map((each) => ({
      line: ts.getLineAndCharacterOfPosition(source as ts.SourceFile, each.start ?? 0).line,
      text: ts.flattenDiagnosticMessageText(each.messageText, '\n'),
    }));
    const first = HEAD.split('\n').length - 1;
    expect(found.filter(({ line }) => line < first)).toEqual([]);
    errorsOf = (code) => found.filter(({ line }) => line === first + codes.indexOf(code)).map((each) => each.text);
  }, 120_000);

  it.each(MISTAKES)('says what is wrong with %s', (_, code, says) => {
    const [error = 'nothing', ...others] = errorsOf(code);
    expect(others).toEqual([]);
    const lines = error.split('\n');
    expect(lines.at(-1)).toContain(says);
    expect(lines.at(-1)?.length).toBeLessThanOrEqual(MOST_CHARS);
    expect(lines.length).toBeLessThanOrEqual(MOST_LINES);
  });

  it.each(RIGHT)('accepts %s', (_, code) => {
    expect(errorsOf(code)).toEqual([]);
  });
});
