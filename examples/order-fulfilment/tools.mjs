const STOCK = { mug: 12, lamp: 3, desk: 0 };
const PRICES = { mug: 9, lamp: 45, desk: 320 };

/** @param {{ order_id: string, items: { sku: string, quantity: number }[] }} input */
export function reserve_stock({ order_id, items }) {
  const missing = items.filter(({ sku, quantity }) => (STOCK[sku] ?? 0) < quantity).map(({ sku }) => sku);
  return { available: missing.length === 0, missing, reservation: `S-${order_id}` };
}

/**
 * Expensive orders have a higher risk.
 *
 * @param {{ items: { sku: string, quantity: number }[] }} input
 */
export function score_risk({ items }) {
  const total = items.reduce((sum, { sku, quantity }) => sum + (PRICES[sku] ?? 0) * quantity, 0);
  return { total, score: Math.min(1, total / 1000) };
}

/** @param {{ order_id: string, paid: number }} input */
export function ship_order({ order_id, paid }, { idempotencyKey }) {
  return { tracking: `T-${order_id}`, paid, key: idempotencyKey };
}

/** @param {{ order_id: string }} input */
export function release_stock({ order_id }) {
  return { outcome: `order ${order_id} was cancelled and its stock was released` };
}
