import { defineTool, Type } from 'jamjet-runtime';

/** Stands for the shop's order service. */
export const findOrder = defineTool({
  description: 'Finds an order by its number.',
  input: Type.Object({ number: Type.String({ minLength: 1 }) }),
  output: Type.Object({ item: Type.String(), total: Type.Number() }),
  run: async ({ number }) => (number.startsWith('B') ? { item: 'arc lamp', total: 480 } : { item: 'desk lamp', total: 60 }),
});

/** Stands for the service that pays. The idempotency key keeps a repeated attempt from paying twice. */
export const payBack = defineTool({
  description: 'Pays an amount back.',
  input: Type.Object({ number: Type.String(), amount: Type.Number({ exclusiveMinimum: 0 }) }),
  output: Type.Object({ receipt: Type.String() }),
  run: async ({ number, amount }, { idempotencyKey }) => ({ receipt: `${number}: ${amount} paid back, ${idempotencyKey}` }),
});
