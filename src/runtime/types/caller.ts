/** Who asks: recorded with every event it causes. */
export interface Caller {
  /** Whose workflows and executions it is about; `default` exists from the start. */
  readonly tenantId: string;
  readonly actorId: string;
  readonly actorType: 'human' | 'agent' | 'system';
  /** Of the HTTP request, when there is one. */
  readonly request?: RequestContext;
}

/** Of an HTTP request: recorded with what it causes. */
export interface RequestContext {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly ip: string;
  /** Id and role of the token it came with; names of tokens may repeat. Absent = without a token. */
  readonly token?: string;
  readonly role?: string;
}
