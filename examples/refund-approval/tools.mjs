const ORDERS = {
  'A-1001': { customer: 'ines@example.com', total: 24.5 },
  'A-1042': { customer: 'tariq@example.com', total: 180 },
};

/** @param {{ order_id: string }} input */
export function look_up_order({ order_id }) {
  const order = ORDERS[order_id];
  // A retry would not find the order either.
  if (order === undefined) throw Object.assign(new Error(`order ${order_id} not found`), { retryable: false });
  return { order_id, ...order };
}

/**
 * Simulates a gateway that fails at first. The idempotency key ensures that a retry does not pay twice.
 *
 * @param {{ order_id: string, amount: number }} input
 */
export async function pay_refund({ order_id, amount }, { attempt, idempotencyKey }) {
  if (attempt === 0) throw Object.assign(new Error('the payment gateway answered 503'), { status: 503 });
  return { reference: `R-${order_id}`, amount, key: idempotencyKey };
}

/** @param {{ customer: string, text: string }} input */
export function tell_customer({ customer, text }) {
  return `to ${customer}: ${text.trim()}`;
}
