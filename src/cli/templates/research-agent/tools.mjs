import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

const NOTES = join(import.meta.dirname, 'notes');

/** Names of the notes that contain a text. */
export async function search_notes({ text }) {
  const found = [];
  for (const name of await readdir(NOTES))
    if ((await readFile(join(NOTES, name), 'utf8')).toLowerCase().includes(text.toLowerCase())) found.push(name);
  return found;
}

export async function read_note({ name }) {
  try {
    // A name, never a path: the agent reads no other files.
    return await readFile(join(NOTES, basename(name)), 'utf8');
  } catch (error) {
    throw Object.assign(new Error(`there is no note ${name}`, { cause: error }), { retryable: false });
  }
}
