import { readFile } from 'node:fs/promises';

/**
 * Stores each section of the handbook under its title. A section that is stored again replaces itself, so the step may be repeated.
 *
 * @param {{ namespace: string }} input
 */
export async function learn({ namespace }, { memory }) {
  const text = await readFile(new URL('handbook.md', import.meta.url), 'utf8');
  const sections = text.split(/^## /m).slice(1);
  const items = sections.map((section) => {
    const [title = '', ...lines] = section.split('\n');
    return { id: title.trim(), text: `${title.trim()}. ${lines.join(' ').trim()}`, metadata: { source: 'handbook.md' } };
  });
  return { items: (await memory.add(namespace, ...items)).length };
}

/**
 * Quotes the best passage.
 *
 * @param {{ question: string, passages: { id: string, text: string }[] }} input
 */
export async function answer({ question, passages: [best, ...others] }) {
  return { question, text: best.text, source: best.id, see_also: others.map(({ id }) => id) };
}
