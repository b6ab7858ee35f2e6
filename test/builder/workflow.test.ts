import { readFileSync } from 'node:fs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { checkObjectTests } from '../../src/authoring/check-object.ts';
import { defineTool, InvalidWorkflow, Type, workflow } from '../../src/index.ts';
import { checkWorkflow } from '../../src/library/yaml.ts';
import { authoredBy } from '../support/authored.ts';

const compose = ({ name }: { name: string }) => `Hello ${name}`;
const charge = defineTool({
  description: 'Charges a card.',
  input: Type.Object({ amount: Type.Number(), card: Type.String() }),
  run: () => ({ receipt: 'r' }),
});
const State = Type.Object({
  name: Type.String(),
  amount: Type.Optional(Type.Number()),
  greeting: Type.Optional(Type.String()),
  order: Type.Optional(Type.Object({ id: Type.String() })),
});
const declared = {
  id: 'greeting',
  version: '1.0.0',
  state: State,
  tools: { compose, charge },
  events: { paid: Type.Object({ by: Type.String() }) },
  retryPolicies: { patient: { maxAttempts: 6, initialDelay: '500ms' } },
} as const;

const greeting = workflow({
  ...declared,
  timeouts: { nodeTimeout: '30s' },
  nodes: {
    compose: { input: { name: '{{ state.name }}' }, retryPolicy: 'patient', next: 'check', outputKey: 'greeting' },
    check: { type: 'condition', branches: [{ if: 'len(state.greeting) > 20', next: 'review' }], default: 'end' },
    review: { type: 'human_approval', message: 'Send {{ state.greeting }}?', onApproved: 'pay', onRejected: 'end' },
    pay: {
      tool: 'charge',
      input: { amount: 'state.amount', card: '{{ state.review.comment }}' },
      next: [{ when: "state.order.id == 'x'", to: 'wait' }, { else: 'end' }],
    },
    wait: { type: 'wait', event: 'paid', timeout: '1d', onTimeout: 'end', next: 'done' },
    done: { type: 'end' },
  },
});

const lineOf = (text: string): number =>
  readFileSync(import.meta.filename, 'utf8')
    .split('\n')
    .findIndex((line) => line.includes(text)) + 1;

describe('a workflow in TypeScript', () => {
  it('becomes the document of the same workflow in YAML', () => {
    const yaml = `
workflow:
  id: greeting
  version: 1.0.0
  state_schema: ${JSON.stringify(State)}
timeouts: { node_timeout: 30s }
retry_policies: { patient: { max_attempts: 6, initial_delay: 500ms } }
nodes:
  compose: { input: { name: "{{ state.name }}" }, retry_policy: patient, next: check, output_key: greeting }
  check: { type: condition, branches: [{ if: "len(state.greeting) > 20", next: review }], default: end }
  review: { type: human_approval, message: "Send {{ state.greeting }}?", on_approved: pay, on_rejected: end }
  pay:
    tool: charge
    input: { amount: state.amount, card: "{{ state.review.comment }}" }
    next: [{ when: "state.order.id == 'x'", to: wait }, { else: end }]
  wait: { type: wait, event: paid, timeout: 1d, on_timeout: end, next: done, schema: { type: object, required: [by], properties: { by: { type: string } } } }
  done: { type: end }
`;
    const { document, diagnostics } = checkWorkflow(yaml, 'greeting.yaml');
    expect(diagnostics).toEqual([]);
    expect(JSON.stringify(greeting.document)).toBe(JSON.stringify(document));
    expect(greeting.diagnostics).toEqual([]);
    expect(greeting).toMatchObject({ id: 'greeting', version: '1.0.0', tools: { compose, charge } });
  });

  it('names node, path and place of a problem', () => {
    const broken = workflow({
      id: 'broken',
      nodes: { a: { type: 'wait', duration: 5, timeout: -1 } },
    });
    expect(() => broken.document).toThrow(InvalidWorkflow);
    expect(broken.diagnostics).toMatchObject([
      {
        severity: 'error',
        code: 'wrong_type',
        node_id: 'a',
        path: 'nodes.a.timeout',
        file: import.meta.filename,
        line: lineOf('const broken = workflow('),
      },
    ]);
    const lost = workflow({ id: 'lost', nodes: { a: { type: 'wait', duration: 5, next: 'b' as 'a' } } });
    expect(lost.diagnostics).toMatchObject([{ code: 'unknown_target', node_id: 'a' }]);
  });

  it('takes the state as a schema of zod', () => {
    const { document } = workflow({
      id: 'zod',
      state: z.object({ n: z.number() }),
      nodes: { a: { type: 'wait', duration: 5 } },
    });
    expect(document.state_schema).toEqual({ type: 'object', properties: { n: { type: 'number' } }, required: ['n'] });
  });

  it('tells a model of the tools that have schemas', () => {
    const { document } = workflow({
      ...declared,
      nodes: { helper: { type: 'agent', model: 'm', prompt: 'Help.', tools: ['charge', 'compose', 'mcp:web.search'] } },
    });
    expect(document).toMatchObject({
      nodes: {
        helper: {
          kind: {
            tools: [
              { name: 'charge', description: 'Charges a card.', parameters: { type: 'object', required: ['amount', 'card'] } },
              'compose',
              'mcp:web.search',
            ],
          },
        },
      },
    });
  });

  it('runs the workflow of another definition, and knows it', () => {
    const parent = workflow({ id: 'parent', nodes: { a: { type: 'subgraph', workflow: greeting } } });
    expect(parent.document).toMatchObject({ nodes: { a: { kind: { workflow_ref: 'greeting' } } } });
    expect(parent.subworkflows).toEqual([greeting]);
    expect(Object.keys(parent.tools)).toEqual(['compose', 'charge']);
  });

  it('can be recognised by another copy of the package', () => {
    expect(Symbol.for('jamjet-runtime.workflow') in greeting).toBe(true);
    expect(authoredBy(greeting)).toMatchObject({ content: { workflow: { id: 'greeting' } }, functions: ['compose', 'charge'] });
  });

  it('has the tests of a file', () => {
    const tested = workflow({
      ...declared,
      nodes: { compose: { next: 'charge' }, charge: {} },
      tests: [
        {
          name: 'fails',
          input: { name: 'Ada' },
          results: {
            compose: [{ fail: 'busy', errorClass: 'server_error' }, { greeting: 'Hello' }],
            charge: { output: 1, usage: { costUsd: 2 } },
          },
          expect: { status: 'failed', notVisited: ['charge'], state: { name: 'Ada' } },
        },
      ],
    });
    const [{ diagnostics, tests }] = checkObjectTests(authoredBy(tested));
    expect(diagnostics).toEqual([]);
    expect(tests).toMatchObject([{ name: 'fails', problems: [], expect: { status: 'failed', notVisited: ['charge'] } }]);
    expect(tests[0]?.results.get('compose')).toMatchObject([{ type: 'fail', errorClass: 'server_error' }, { type: 'output' }]);
    expect(tests[0]?.results.get('charge')).toMatchObject([{ type: 'output', usage: { cost_usd: 2 } }]);
  });

  it('types input, state, events and nodes', () => {
    type Types = NonNullable<(typeof greeting)['~types']>;
    expectTypeOf<Types['input']['name']>().toEqualTypeOf<string>();
    expectTypeOf<Types['events']['paid']>().toEqualTypeOf<{ by: string }>();
    expectTypeOf<Types['nodeId']>().toEqualTypeOf<'compose' | 'check' | 'review' | 'pay' | 'wait' | 'done'>();
  });

  it('does not compile with a name that nothing declares', () => {
    const define = () => {
      // @ts-expect-error no such kind
      workflow({ ...declared, nodes: { x: { type: 'condtion' } } });
      // @ts-expect-error no such target
      workflow({ ...declared, nodes: { x: { type: 'wait', duration: 5, next: 'y' } } });
      // @ts-expect-error no such target of a branch
      workflow({ ...declared, nodes: { x: { type: 'condition', branches: [{ if: 'state.amount > 1', next: 'y' }] } } });
      // @ts-expect-error no such node to wait for
      workflow({ ...declared, nodes: { x: { type: 'join', waitFor: ['y'] } } });
      // @ts-expect-error no such state key in a condition
      workflow({ ...declared, nodes: { x: { type: 'condition', branches: [{ if: 'state.amonut > 1', next: 'x' }] } } });
      // @ts-expect-error no such key inside a value of the state
      workflow({ ...declared, nodes: { x: { type: 'wait', duration: 5, next: [{ when: 'state.order.idd', to: 'end' }] } } });
      // @ts-expect-error no such state key in a template
      workflow({ ...declared, nodes: { x: { type: 'human_approval', message: 'Pay {{ state.amonut }}?' } } });
      // @ts-expect-error no such state key in a mapping
      workflow({ ...declared, nodes: { x: { tool: 'compose', input: { name: 'state.nam' } } } });
      // @ts-expect-error no such state key for the output
      workflow({ ...declared, nodes: { x: { tool: 'compose', outputKey: 'greting' } } });
      // @ts-expect-error no such tool
      workflow({ ...declared, nodes: { x: { tool: 'compsoe' } } });
      // @ts-expect-error neither a tool nor named like one
      workflow({ ...declared, nodes: { x: {} } });
      // @ts-expect-error no such field of the tool's input
      workflow({ ...declared, nodes: { x: { tool: 'charge', input: { amuont: 1, card: 'c' } } } });
      // @ts-expect-error the tool's amount is a number
      workflow({ ...declared, nodes: { x: { tool: 'charge', input: { amount: 'many', card: 'c' } } } });
      // @ts-expect-error no such event
      workflow({ ...declared, nodes: { x: { type: 'wait', event: 'piad' } } });
      // @ts-expect-error no such retry policy
      workflow({ ...declared, nodes: { x: { tool: 'compose', retryPolicy: 'pateint' } } });
      // @ts-expect-error no such key
      workflow({ ...declared, nodes: { x: { type: 'human_approval', onAproved: 'end' } } });
      // @ts-expect-error no such key of a retry
      workflow({ ...declared, nodes: { x: { tool: 'compose', retry: { maxAtempts: 3 } } } });
      // @ts-expect-error no such start
      workflow({ ...declared, start: 'y', nodes: { x: { type: 'wait', duration: 5 } } });
      // @ts-expect-error no such node in a test
      workflow({ ...declared, nodes: { compose: {} }, tests: [{ name: 't', expect: { visited: ['compsoe'] } }] });
    };
    expect(define).toBeTypeOf('function');
  });
});
