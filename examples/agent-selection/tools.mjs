/**
 * Writes the text itself.
 *
 * @param {{ topic: string }} input
 */
export async function write({ topic }) {
  return `A text about ${topic}.`;
}
