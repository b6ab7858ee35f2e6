import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const CACHE = new URL('../../node_modules/.cache/typescript-threads/', import.meta.url);

/** Module hook that removes the types from `.ts` files. Results are cached by content. */
export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context);
  const text = await readFile(fileURLToPath(url), 'utf8');
  return { format: 'module', shortCircuit: true, source: await javaScriptOf(text) };
}

async function javaScriptOf(text) {
  const cached = new URL(`${createHash('sha256').update(text).digest('hex')}.mjs`, CACHE);
  try {
    return await readFile(cached, 'utf8');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  const { default: ts } = await import('typescript');
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true };
  const { outputText } = ts.transpileModule(text, { compilerOptions });
  await mkdir(CACHE, { recursive: true });
  // Other threads may write the same file.
  const temporary = new URL(`${cached.pathname.split('/').at(-1)}.${process.pid}.${Math.random()}`, CACHE);
  await writeFile(temporary, outputText);
  await rename(temporary, cached);
  return outputText;
}
