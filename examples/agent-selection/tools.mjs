/** Writes the text itself. */
export async function write({ topic }) {
  return `A text about ${topic}.`;
}
