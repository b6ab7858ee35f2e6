import type { Client } from 'pg';
import { refuseUnreleased } from '../migrate.ts';
import type { RunningRuntime, SchemaVersions, Survey, SurveyContent } from '../port/survey.ts';
import { runQuery, sql as statement } from './connections.ts';
import { migrations } from './open.ts';
import * as sql from './queries/survey.ts';
import { withClient } from './with-client.ts';

const SNAPSHOT = statement('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
const END = statement('COMMIT');

/** Summarizes a database in one snapshot; runtimes with a heartbeat at `sinceMs` or later count as running. */
export function surveyPostgres(url: string, sinceMs: number): Promise<Survey> {
  return withClient(url, async (client) => {
    await runQuery(client, SNAPSHOT, []);
    const survey = await surveyNow(client, sinceMs);
    await runQuery(client, END, []);
    return survey;
  });
}

/** The schema versions alone, without counting anything. */
export function postgresVersions(url: string): Promise<SchemaVersions> {
  return withClient(url, async (client) => {
    const [found] = await runQuery<Found>(client, sql.DATABASE, []);
    return versions(client, found);
  });
}

interface Found {
  readonly migrated: boolean;
  readonly size: number;
}

async function versions(client: Client, found: Found | undefined): Promise<SchemaVersions> {
  const [schema] =
    found?.migrated === true ? await runQuery<{ version: number; first: string | null }>(client, sql.SCHEMA_VERSION, []) : [];
  refuseUnreleased(schema?.first);
  return { schemaVersion: schema?.version ?? 0, newestVersion: migrations().length };
}

async function surveyNow(client: Client, sinceMs: number): Promise<Survey> {
  const [found] = await runQuery<Found>(client, sql.DATABASE, []);
  const common = { engine: 'postgres' as const, ...(await versions(client, found)), sizeBytes: found?.size ?? 0 };
  if (found?.migrated !== true) return { ...common, content: null, runtimes: [] };
  const running = await runQuery<Omit<RunningRuntime, 'pid'>>(client, sql.RUNNING, [sinceMs]);
  return { ...common, content: await contentOf(client), runtimes: running.map((runtime) => ({ ...runtime, pid: null })) };
}

async function contentOf(client: Client): Promise<SurveyContent> {
  const statuses = await runQuery<{ status: string; executions: number }>(client, sql.COUNT_BY_STATUS, []);
  const [counts] = await runQuery<Omit<SurveyContent, 'executions'>>(client, sql.COUNT_CONTENT, []);
  return {
    executions: Object.fromEntries(statuses.map(({ status, executions }) => [status, executions])),
    ...(counts ?? { events: 0, workflows: 0, timers: 0, workItems: 0 }),
  };
}
