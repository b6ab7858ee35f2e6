/** What a tool has used since it last reported. Absent = none. */
export interface ReportedUsage {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  /** USD. */
  readonly costUsd?: number;
}
