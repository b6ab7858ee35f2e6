import type { TestProject } from 'vitest/node';
import { type ServerAddress, startPostgres } from './postgres-server.ts';
import { TEMPORARY_FILES } from './temporary-files.ts';

declare module 'vitest' {
  interface ProvidedContext {
    postgres: ServerAddress;
  }
}

/** Starts the server that all files of the project share. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres(TEMPORARY_FILES);
  project.provide('postgres', server.address);
  return () => server.stop();
}
