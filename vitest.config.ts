import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/{machines,store,runtime,control,executors,authoring,testing,pictures,api,cli}/**/*.test.ts'],
          isolate: false,
          setupFiles: ['test/support/properties.ts'],
          testTimeout: 20_000,
          server: { deps: { inline: ['clipanion'] } },
        },
      },
      {
        extends: true,
        test: {
          name: 'system',
          globalSetup: ['test/support/fresh-build.ts'],
          include: ['test/system/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
