/**
 * Converts sales to EUR and sums them by region.
 *
 * @param {{ date: string, sales: { region: string, amount: number, currency: string }[], rates: Record<string, number> }} input
 */
export function total_sales({ date, sales, rates }) {
  const regions = {};
  for (const { region, amount, currency } of sales) {
    const rate = rates[currency];
    if (rate === undefined) throw Object.assign(new Error(`no rate for ${currency}`), { retryable: false });
    regions[region] = Math.round(((regions[region] ?? 0) + amount / rate) * 100) / 100;
  }
  const total = Object.values(regions).reduce((sum, amount) => sum + amount, 0);
  return { date, regions, total: Math.round(total * 100) / 100, currency: 'EUR' };
}
