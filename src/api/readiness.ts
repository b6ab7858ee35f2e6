import type { StoreErrorCode } from '../../store/port/errors.ts';
import type { SchemaVersions } from '../../store/port/survey.ts';
import { databaseStatus } from './database-health.ts';
import type { Readiness, ReadinessChecks, Unreadiness } from './schemas/health.ts';

export interface ServerState {
  /** Why the database cannot be read or written; null = it can. */
  readonly databaseFault: StoreErrorCode | null;
  /** Null = the database cannot be read. */
  readonly schema: SchemaVersions | null;
  readonly isOverloaded: boolean;
  readonly isStopping: boolean;
}

export function readinessChecks({ databaseFault, schema, isOverloaded, isStopping }: ServerState): ReadinessChecks {
  return {
    database: databaseFault === null ? 'ok' : databaseStatus(databaseFault),
    migrations: schema === null ? 'unknown' : schema.schemaVersion > schema.newestVersion ? 'newer' : 'ok',
    backlog: isOverloaded ? 'overloaded' : 'ok',
    shutdown: isStopping ? 'shutting_down' : 'ok',
  };
}

/** The reply of `GET /health/ready`: with status 503 if it is `not_ready`. */
export function readiness(checks: ReadinessChecks): Readiness | Unreadiness {
  const failed = CHECKS.filter((name) => checks[name] !== 'ok' && checks[name] !== 'unknown');
  if (failed.length === 0) return { status: 'ready', checks };
  const reasons = failed.map((name) => `${name} (${checks[name]})`);
  const error = `service unavailable: not ready: ${reasons.join(', ')}`;
  return { status: 'not_ready', error, code: 'not_ready', failed: [...failed], checks };
}

const CHECKS = ['database', 'migrations', 'backlog', 'shutdown'] as const;
