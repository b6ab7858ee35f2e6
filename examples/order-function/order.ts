// The workflow of ../order-fulfilment as a durable function.
import { durable, Type } from 'jamjet-runtime';
import { release_stock, reserve_stock, score_risk, ship_order } from '../order-fulfilment/tools.mjs';

export const orderFunction = durable({
  id: 'order-function',
  version: '1.0.0',
  description: 'Check, wait for the payment and ship; release the stock without a payment',
  input: Type.Object({
    order_id: Type.String(),
    items: Type.Array(Type.Object({ sku: Type.String(), quantity: Type.Integer() })),
  }),
  run: async (ctx, order) => {
    const [stock, risk] = await Promise.all([
      ctx.step('reserve', () => reserve_stock(order)),
      ctx.step('score', () => score_risk(order)),
    ]);
    if (stock.available && risk.score < 0.8) {
      // A payment that arrives before the checks are done is kept until the function waits for it.
      const payment = await ctx.event<{ amount: number }>('payment-received', { timeout: '48h' });
      if (payment !== null) {
        const paid = { order_id: order.order_id, paid: payment.amount };
        return { shipment: await ctx.step('ship', ({ idempotencyKey }) => ship_order(paid, { idempotencyKey })) };
      }
    }
    return ctx.step('release', () => release_stock(order));
  },
});
