// Lets worker threads that are started from the sources run TypeScript, which Node 20 does not support.
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

if (!isMainThread) register('./typescript-hooks.mjs', import.meta.url);
