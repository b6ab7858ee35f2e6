import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const CACHE = new URL('../../node_modules/.cache/typescript-threads/', import.meta.url);

/** Module hook: takes the types out of `.ts` files. What was made of a file is kept by its content. */
export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context);
  const text = await readFile(fileURLToPath(url), 'utf8');
  return { format: 'module', shortCircuit: true, source: await javaScriptOf(text) };
}

async function javaScriptOf(text) {
  const kept = new URL(`${createHash('sha256').update(text).digest('hex')}.mjs`, CACHE);
  try {
    return await readFile(kept, 'utf8');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  const { default: ts } = await import('typescript');
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true };
  const { outputText } = ts.transpileModule(text, { compilerOptions });
  await mkdir(CACHE, { recursive: true });
  // Other threads may be at it, too.
  const draft = new URL(`${kept.pathname.split('/').at(-1)}.${process.pid}.${Math.random()}`, CACHE);
  await writeFile(draft, outputText);
  await rename(draft, kept);
  return outputText;
}
