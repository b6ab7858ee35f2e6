/**
 * Orders more of an article.
 *
 * @param {{ article: string, pieces: number }} input
 */
export async function order({ article, pieces }) {
  return { article, pieces, reference: `O-${article.replaceAll(' ', '-')}` };
}
