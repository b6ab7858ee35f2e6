// The same workflow as workflow.yaml, in TypeScript.
import { Type, workflow } from 'jamjet-runtime';
import { ask_carrier, book_carrier } from './tools.mjs';

const Quote = Type.Unsafe<{ carrier: string; price: number }>({ type: 'object' });

const State = Type.Partial(
  Type.Object({
    parcel_kg: Type.Number(),
    owl: Quote,
    swift: Quote,
    snail: Quote,
    quote: Quote,
    booking: Type.String(),
  }),
);

export const fastestQuote = workflow({
  id: 'fastest-quote',
  version: '1.0.0',
  description: 'Take the quote of the first carrier that replies',
  state: State,
  start: 'ask',
  tools: { ask_carrier, book_carrier },
  nodes: {
    ask: { type: 'parallel', branches: ['owl', 'swift', 'snail'], join: 'first_answer' },
    owl: {
      type: 'tool',
      tool: 'ask_carrier',
      input: { carrier: 'owl', seconds: 20, kg: '{{ state.parcel_kg }}' },
      outputKey: 'owl',
    },
    swift: {
      type: 'tool',
      tool: 'ask_carrier',
      input: { carrier: 'swift', seconds: 0.05, kg: '{{ state.parcel_kg }}' },
      outputKey: 'swift',
    },
    snail: {
      type: 'tool',
      tool: 'ask_carrier',
      input: { carrier: 'snail', seconds: 60, kg: '{{ state.parcel_kg }}' },
      outputKey: 'snail',
    },
    first_answer: {
      type: 'join',
      waitFor: ['owl', 'swift', 'snail'],
      strategy: 'first',
      outputKey: 'quote',
      next: 'book',
    },
    book: {
      type: 'tool',
      tool: 'book_carrier',
      input: { carrier: '{{ state.quote.carrier }}', price: '{{ state.quote.price }}' },
    },
  },
});
