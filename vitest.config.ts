import { defineConfig } from 'vitest/config';

/** How long what must not fail on a busy machine may take: limits end what hangs, they judge nobody's speed. */
const PATIENCE_MS = 60_000;

export default defineConfig({
  test: {
    hookTimeout: 2 * PATIENCE_MS,
    teardownTimeout: PATIENCE_MS,
    expect: { poll: { timeout: PATIENCE_MS / 2 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            'test/{machines,store,runtime,control,executors,authoring,testing,diagrams,views,api,cli,simulation}/**/*.test.ts',
          ],
          isolate: false,
          setupFiles: ['test/support/properties.ts'],
          testTimeout: PATIENCE_MS,
          execArgv: ['--import', new URL('test/support/typescript-threads.mjs', import.meta.url).href],
          server: { deps: { inline: ['clipanion'] } },
        },
      },
      {
        extends: true,
        test: {
          name: 'system',
          globalSetup: ['test/support/fresh-build.ts'],
          include: ['test/{system,faults}/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 3 * PATIENCE_MS,
        },
      },
    ],
  },
});
