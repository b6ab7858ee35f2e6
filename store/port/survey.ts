export interface SchemaVersions {
  /** Version of the last migration applied; 0 = none yet. */
  readonly schemaVersion: number;
  /** The newest version this release knows. */
  readonly newestVersion: number;
}

/** A summary of a database for its administrator. Taking it creates, migrates and locks nothing. */
export interface Survey extends SchemaVersions {
  readonly engine: 'sqlite' | 'postgres';
  /** Size on disk, including an SQLite file's write-ahead log. */
  readonly sizeBytes: number;
  /** Null = no schema yet: nothing has been migrated. */
  readonly content: SurveyContent | null;
  /** Runtimes that are working on it. */
  readonly runtimes: readonly RunningRuntime[];
  /** Warnings for the administrator; absent = none. */
  readonly warnings?: readonly string[];
}

export interface SurveyContent {
  /** Number of executions by status. */
  readonly executions: Readonly<Record<string, number>>;
  readonly events: number;
  /** Registered workflow versions. */
  readonly workflows: number;
  /** Armed timers. */
  readonly timers: number;
  /** Work items that are not settled. */
  readonly workItems: number;
}

export interface RunningRuntime {
  readonly id: string;
  /** Null where the runtime may be on another machine. */
  readonly pid: number | null;
  readonly startedAtMs: number;
}
