/** @param {{ topic: string, draft: string | null, round: number | null }} input */
export function write_draft({ topic, draft, round }) {
  const sentence = `${topic} matter because they outlive the process that started them.`;
  return { draft: draft === null ? sentence : `${draft} ${sentence}`, round: (round ?? 0) + 1 };
}

/**
 * Scores a draft by its length, up to forty words.
 *
 * @param {{ draft: string }} input
 */
export function review_draft({ draft }) {
  const words = draft.split(/\s+/).length;
  return { words, score: Math.min(1, words / 40) };
}

/** @param {{ verdict: string, round: number }} input */
export function publish_draft({ verdict, round }) {
  return { verdict: `${verdict} after round ${round}` };
}
