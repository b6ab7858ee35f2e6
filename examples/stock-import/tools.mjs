import { randomUUID } from 'node:crypto';

/** Tokens by warehouse. A real import would keep them in a database. */
const locks = new Map();
const stock = new Map();

/** @param {{ warehouse: string }} input */
export function take_lock({ warehouse }) {
  if (locks.has(warehouse)) throw new Error(`warehouse ${warehouse} is being imported`);
  const token = randomUUID();
  locks.set(warehouse, token);
  return { token };
}

/** @param {{ warehouse: string, lines: { article: string, quantity: number }[] }} input */
export function import_lines({ warehouse, lines }) {
  for (const [i, { article, quantity }] of lines.entries()) {
    if (typeof article !== 'string') throw new Error(`line ${i + 1} has no article`);
    stock.set(`${warehouse} ${article}`, quantity);
  }
  return { lines: lines.length };
}

/** @param {{ token: string }} input */
export function release_lock({ token }) {
  for (const [warehouse, held] of locks) if (held === token) locks.delete(warehouse);
  return { free: true };
}

/** @param {{ text: string }} input */
export function tell_operator({ text }) {
  console.error(text);
  return { shown: true };
}
