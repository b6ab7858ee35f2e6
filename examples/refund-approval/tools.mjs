const ORDERS = {
  'A-1001': { customer: 'ines@example.com', total: 24.5 },
  'A-1042': { customer: 'tariq@example.com', total: 180 },
};

export function look_up_order({ order_id }) {
  const order = ORDERS[order_id];
  // No number of attempts makes an order appear.
  if (order === undefined) throw Object.assign(new Error(`there is no order ${order_id}`), { retryable: false });
  return { order_id, ...order };
}

/** A gateway that is overloaded at first, as gateways are. The key makes sure that asking twice pays once. */
export async function pay_refund({ order_id, amount }, { attempt, idempotencyKey }) {
  if (attempt === 0) throw Object.assign(new Error('the payment gateway answered 503'), { status: 503 });
  return { reference: `R-${order_id}`, amount, key: idempotencyKey };
}

export function tell_customer({ customer, text }) {
  return `to ${customer}: ${text.trim()}`;
}
