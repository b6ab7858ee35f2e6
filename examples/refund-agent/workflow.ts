// The same workflow as workflow.yaml, in TypeScript. The model is told the descriptions and the schemas of the tools.
import { defineTool, Type, workflow } from 'jamjet-runtime';
import * as orders from './tools.mjs';

const find_order = defineTool({
  description: 'Finds an order by its number.',
  input: Type.Object({ number: Type.String() }),
  run: orders.find_order,
});

const refund = defineTool({
  description: 'Pays back what an order has cost. Only for items that arrived broken.',
  input: Type.Object({ number: Type.String(), euros: Type.Number() }),
  run: orders.refund,
});

const State = Type.Partial(Type.Object({ question: Type.String(), answer: Type.String() }));

export const refundAgent = workflow({
  id: 'refund-agent',
  version: '1.0.0',
  description: 'An agent that answers customers and refunds orders',
  state: State,
  start: 'helper',
  tools: { find_order, refund },
  policy: { requireApprovalFor: ['refund'] },
  nodes: {
    helper: {
      type: 'agent',
      model: 'gpt-4o-mini',
      instructions: 'You help customers of a lamp shop. Look up the order before you answer.',
      prompt: '{{ state.question }}',
      tools: ['find_order', 'refund'],
      maxTurns: 6,
      outputKey: 'answer',
    },
  },
  tests: [
    {
      name: 'pays back what a person approves',
      input: { question: 'The lamp of order A-17 arrived broken.' },
      results: {
        helper: [
          { toolCalls: [{ name: 'find_order', arguments: { number: 'A-17' } }] },
          { toolCalls: [{ name: 'refund', arguments: { number: 'A-17', euros: 49 } }] },
          { output: 'You get your 49 euros back.' },
        ],
        'helper.find_order': { number: 'A-17', euros: 49 },
        'helper.refund': [{ approve: {} }, { paid: 49 }],
      },
      expect: { status: 'completed', state: { answer: 'You get your 49 euros back.' } },
    },
    {
      name: 'tells the customer when the refund is rejected',
      input: { question: 'The lamp of order A-17 arrived broken.' },
      results: {
        helper: [
          { toolCalls: [{ name: 'refund', arguments: { number: 'A-17', euros: 49 } }] },
          { output: 'I cannot pay that back.' },
        ],
        'helper.refund': { reject: { comment: 'not broken' } },
      },
      expect: { status: 'completed', state: { answer: 'I cannot pay that back.' } },
    },
  ],
});
