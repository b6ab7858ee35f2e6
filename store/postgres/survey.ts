import type { Client } from 'pg';
import { readMigrations } from '../migrate.ts';
import type { RunningRuntime, Survey, SurveyContent } from '../survey.ts';
import { withClient } from './alone.ts';
import { ask, sql as statement } from './connections.ts';
import { MIGRATIONS } from './open.ts';
import * as sql from './queries/survey.ts';

const SNAPSHOT = statement('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
const END = statement('COMMIT');

/** One moment of a database; runtimes count as running that were seen at `sinceMs` or later. */
export function surveyPostgres(url: string, sinceMs: number): Promise<Survey> {
  return withClient(url, async (client) => {
    await ask(client, SNAPSHOT, []);
    const survey = await surveyNow(client, sinceMs);
    await ask(client, END, []);
    return survey;
  });
}

async function surveyNow(client: Client, sinceMs: number): Promise<Survey> {
  const [found] = await ask<{ migrated: boolean; size: number }>(client, sql.DATABASE, []);
  const common = {
    engine: 'postgres' as const,
    newestVersion: readMigrations(MIGRATIONS).length,
    sizeBytes: found?.size ?? 0,
  };
  if (found?.migrated !== true) return { ...common, schemaVersion: 0, content: null, runtimes: [] };
  const [schema] = await ask<{ version: number }>(client, sql.SCHEMA_VERSION, []);
  const running = await ask<Omit<RunningRuntime, 'pid'>>(client, sql.RUNNING, [sinceMs]);
  return {
    ...common,
    schemaVersion: schema?.version ?? 0,
    content: await contentOf(client),
    runtimes: running.map((runtime) => ({ ...runtime, pid: null })),
  };
}

async function contentOf(client: Client): Promise<SurveyContent> {
  const statuses = await ask<{ status: string; executions: number }>(client, sql.COUNT_BY_STATUS, []);
  const [counts] = await ask<Omit<SurveyContent, 'executions'>>(client, sql.COUNT_CONTENT, []);
  return {
    executions: Object.fromEntries(statuses.map(({ status, executions }) => [status, executions])),
    ...(counts ?? { events: 0, workflows: 0, timers: 0, workItems: 0 }),
  };
}
