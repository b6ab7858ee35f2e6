const KNOWN = { ann: 7, bob: 9, cleo: 4 };

/**
 * The score of one customer.
 *
 * @param {{ id: string, place: number }} input
 */
export async function lookup({ id }) {
  if (!Object.hasOwn(KNOWN, id)) throw new Error(`customer ${id} is not known`);
  return { id, score: KNOWN[id] };
}

/**
 * Who has the best score: the place of a customer who could not be scored holds an error.
 *
 * @param {{ customers: { id: string }[], scores: (number | { error: string })[] }} input
 */
export async function summarise({ customers, scores }) {
  const scored = customers.filter((_, at) => typeof scores[at] === 'number');
  const best = scored.sort((a, b) => scores[customers.indexOf(b)] - scores[customers.indexOf(a)])[0];
  return { best: best?.id ?? null, scored: scored.length, of: customers.length };
}
