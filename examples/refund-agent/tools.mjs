const ORDERS = { 'A-17': { item: 'desk lamp', euros: 49, delivered: '2026-11-20' } };

/** @param {{ number: string }} input */
export function find_order({ number }) {
  const order = ORDERS[number];
  if (order === undefined) throw Object.assign(new Error(`there is no order ${number}`), { retryable: false });
  return { number, ...order };
}

/**
 * A real one would pass `idempotencyKey` to the bank, so that no refund is paid twice.
 *
 * @param {{ number: string, euros: number }} input
 */
export function refund({ number, euros }, { idempotencyKey }) {
  return { paid: euros, reference: `R-${number}-${idempotencyKey.slice(-4)}` };
}
