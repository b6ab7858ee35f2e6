// Starts worker threads of the sources from their bundles (`thread-bundles.ts`), since Node 20 runs no TypeScript, and hooks that translate it
// would cost each thread a second thread.
import { syncBuiltinESMExports } from 'node:module';
import { relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import threads from 'node:worker_threads';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const { Worker } = threads;

threads.Worker = class extends Worker {
  constructor(file, options) {
    super(file instanceof URL && file.pathname.endsWith('.ts') ? bundleOf(file) : file, options);
  }
};
syncBuiltinESMExports();

function bundleOf(url) {
  const path = relative(ROOT, fileURLToPath(url)).split(sep).join('/');
  return new URL(`${path.replace(/\.ts$/, '.mjs')}`, `${pathToFileURL(process.env.THREAD_BUNDLES).href}/`);
}
