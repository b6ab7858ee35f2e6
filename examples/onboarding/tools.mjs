const LATE_PAYMENTS = { 'Harbour Tea': 0, 'Slow & Sons': 9 };

/** @param {{ company: string }} input */
export function ask_bureau({ company }) {
  return { company, late_payments: LATE_PAYMENTS[company] ?? 2 };
}

/** @param {{ late_payments: number }} input */
export function rate_answer({ late_payments }) {
  return { rating: late_payments === 0 ? 'A' : late_payments < 5 ? 'B' : 'D' };
}

/** @param {{ company: string }} input */
export function open_account({ company }) {
  return { account: `acc-${company.toLowerCase().replace(/[^a-z0-9]+/g, '-')}` };
}

/** @param {{ company: string, rating: string }} input */
export function refuse_account({ company, rating }) {
  return { notice: `no account for ${company}: rated ${rating}` };
}
