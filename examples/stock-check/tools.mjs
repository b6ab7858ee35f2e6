/** Orders more of an article. */
export async function order({ article, pieces }) {
  return { article, pieces, reference: `O-${article.replaceAll(' ', '-')}` };
}
