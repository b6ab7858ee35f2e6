// The same workflow as workflow.yaml, in TypeScript.
import { Type, workflow } from 'jamjet-runtime';
import { import_lines, release_lock, take_lock, tell_operator } from './tools.mjs';

const State = Type.Partial(
  Type.Object({
    warehouse: Type.String(),
    lines: Type.Unsafe<{ article: string; quantity: number }[]>({ type: 'array' }),
    lock: Type.Unsafe<{ token: string }>({ type: 'object' }),
    imported: Type.Unsafe<{ lines: number }>({ type: 'object' }),
  }),
);

export const stockImport = workflow({
  id: 'stock-import',
  version: '1.0.0',
  description: 'Import a stock list under a lock that is always released',
  state: State,
  start: 'take_lock',
  tools: { take_lock, import_lines, release_lock, tell_operator },
  nodes: {
    take_lock: {
      type: 'tool',
      input: { warehouse: '{{ state.warehouse }}' },
      outputKey: 'lock',
      retry: { maxAttempts: 5, backoff: 'exponential', delayMs: 500 },
      next: 'import_lines',
    },
    import_lines: {
      type: 'tool',
      input: { warehouse: '{{ state.warehouse }}', lines: '{{ state.lines }}' },
      outputKey: 'imported',
      retryPolicy: 'no_retry',
    },
    // Finalizers need no edges: they run when the execution is about to end, one after the other.
    release_lock: { type: 'finalizer', input: { token: '{{ state.lock.token }}' }, timeout: '10s' },
    tell_operator: {
      type: 'finalizer',
      runOn: 'failure',
      input: { text: 'The import of {{ state.warehouse }} failed: {{ output.error }}' },
    },
  },
  tests: [
    {
      name: 'releases the lock after the import',
      input: { warehouse: 'north' },
      results: { take_lock: { token: 't-1' }, import_lines: { lines: 3 } },
      expect: {
        status: 'completed',
        visited: ['take_lock', 'import_lines', 'release_lock'],
        notVisited: ['tell_operator'],
      },
    },
    {
      name: 'releases the lock and tells the operator when the import fails',
      input: { warehouse: 'north' },
      results: {
        take_lock: { token: 't-1' },
        import_lines: { fail: 'line 2 has no article', retryable: false },
      },
      expect: { status: 'failed', visited: ['take_lock', 'import_lines', 'release_lock', 'tell_operator'] },
    },
    {
      name: 'fails as before when the lock cannot be released',
      input: { warehouse: 'north' },
      results: {
        import_lines: { fail: 'line 2 has no article', retryable: false },
        release_lock: { fail: 'no such lock', retryable: false },
      },
      expect: { status: 'failed', error: 'line 2 has no article' },
    },
  ],
});
