/** The caller of a command. It is recorded with every event that the command causes. */
export interface Caller {
  /** The tenant of the workflows and executions; `default` always exists. */
  readonly tenantId: string;
  readonly actorId: string;
  readonly actorType: 'human' | 'agent' | 'system';
  /** Set if the command came as an HTTP request. */
  readonly request?: RequestContext;
  /** The only queues whose work items exist for it. Absent = all. */
  readonly queues?: readonly string[];
}

/** The HTTP request of a command, for the audit log. */
export interface RequestContext {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly ip: string;
  /** Id and role of the token that it came with; absent without a token. */
  readonly token?: string;
  readonly role?: string;
}
