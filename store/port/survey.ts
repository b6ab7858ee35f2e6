export interface SchemaVersions {
  /** Of the last migration applied; 0 = there is nothing yet. */
  readonly schemaVersion: number;
  /** The newest this release knows. */
  readonly newestVersion: number;
}

/** A database as its administrator sees it. Looking creates, migrates and locks nothing. */
export interface Survey extends SchemaVersions {
  readonly engine: 'sqlite' | 'postgres';
  /** On the disk, with the write-ahead log of an SQLite file. */
  readonly sizeBytes: number;
  /** Null = not one of ours yet: nothing has been migrated. */
  readonly content: SurveyContent | null;
  /** Who works on it now. */
  readonly runtimes: readonly RunningRuntime[];
  /** What an administrator should know, in words; absent = nothing. */
  readonly warnings?: readonly string[];
}

export interface SurveyContent {
  /** Executions, by status. */
  readonly executions: Readonly<Record<string, number>>;
  readonly events: number;
  /** Registered versions. */
  readonly workflows: number;
  /** Armed. */
  readonly timers: number;
  /** Not settled yet. */
  readonly workItems: number;
}

export interface RunningRuntime {
  readonly id: string;
  /** Null where a runtime may be on another machine. */
  readonly pid: number | null;
  readonly startedAtMs: number;
}
