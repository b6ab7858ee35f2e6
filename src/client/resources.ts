// The methods of the client by resource. A path parameter is an argument of its method, in order.

/** The agents of the token's tenant. An agent is identified by its id or its uuid. */
export const AGENTS = {
  /** Registers an agent; an existing id gets the new card. */
  register: 'POST /agents +body',
  /** Registers the agent at a URL by the card the server fetches from there. */
  discover: 'POST /agents/discover +body.url',
  /** Lists agents, most recently registered first; by default 100. */
  list: 'GET /agents +query',
  /** Finds active agents that have all given skills. */
  search: 'GET /agents/search +query',
  /** Rejects with 404 if the agent does not exist. */
  get: 'GET /agents/:id',
  /** Activates a registered or paused agent. Rejects with 409 from another status. */
  activate: 'POST /agents/:id/activate',
  /** Pauses an active agent. Rejects with 409 from another status. */
  pause: 'POST /agents/:id/pause',
  /** Takes an agent out of service; registering it again restores it. */
  deactivate: 'POST /agents/:id/deactivate',
  /** Archives a deactivated agent. Rejects with 409 from another status. */
  archive: 'POST /agents/:id/archive',
  /** Reports that an agent is alive; it counts as silent 90 s after the last heartbeat. */
  heartbeat: 'POST /agents/:id/heartbeat',
  /** Recorded actions on and by an agent, newest first; by default 20, at most 200. */
  trace: 'GET /agents/:id/trace +query',
} as const;

/** The cron jobs of the token's tenant, identified by name. */
export const CRON = {
  /** Creates a job, or replaces the job with the same name. Rejects with 400 for an invalid expression or time zone. */
  put: 'POST /cron +body',
  /** Lists all jobs by name. */
  list: 'GET /cron',
  /** Rejects with 404 if the job does not exist. */
  get: 'GET /cron/:name',
  /** Deletes a job; the executions it started continue. */
  delete: 'DELETE /cron/:name',
  /** Pauses a job; runs that fall into the pause are not caught up. */
  pause: 'POST /cron/:name/pause',
  /** Resumes a paused job with its next scheduled time. */
  resume: 'POST /cron/:name/resume',
  /** Starts an execution now, outside the schedule. With `idempotencyKey`, a repeated request starts no second one. */
  trigger: 'POST /cron/:name/trigger +idempotencyKey',
} as const;

/** Tenants. Every method requires an operator token; changes require one of tenant `default`. */
export const TENANTS = {
  /** Rejects with 409 if the id exists. */
  create: 'POST /tenants +body',
  /** Lists tenants: all for operators of tenant `default`, else the own one. */
  list: 'GET /tenants +query',
  /** A tenant with its usage. Rejects with 404 if it does not exist. */
  get: 'GET /tenants/:id',
  /** Replaces the usage of a month (`2026-03`), which the audit log records with the reason. */
  correctUsage: 'PUT /tenants/:id/usage/:month +body',
  /** Has everything that a tenant stores counted anew. */
  recountStorage: 'POST /tenants/:id/storage/recount',
  /** Changes the given fields; null clears `policy` or `limits`. */
  update: 'PUT /tenants/:id +body',
} as const;

/** Time the receiver may take to answer a ping. */
const PING_MS = 10_000;

/** The webhooks of the token's tenant. */
export const WEBHOOKS = {
  /** Creates a webhook. The reply contains the signing secret, which is not shown again. */
  create: 'POST /webhooks +body',
  /** Lists all webhooks. */
  list: 'GET /webhooks',
  /** Rejects with 404 if the webhook does not exist. */
  get: 'GET /webhooks/:id',
  /** Changes the given fields. With `rotate_secret`, the reply contains the new secret. */
  update: 'PUT /webhooks/:id +body',
  /** Deletes a webhook and its pending deliveries. */
  delete: 'DELETE /webhooks/:id',
  /** Lists deliveries, newest first; by default 50, at most 200. */
  deliveries: 'GET /webhooks/:id/deliveries +query',
  /** Queues one delivery again, whatever its status. */
  replayDelivery: 'POST /webhooks/:id/deliveries/:delivery_id/replay',
  /** Queues all failed deliveries again. */
  replay: 'POST /webhooks/:id/replay',
  /** Sends one signed ping, also to a disabled webhook; the reply tells whether it was delivered. */
  test: ['POST /webhooks/:id/test', { waitMs: PING_MS }],
} as const;

/** Signing in to the console by one-time links. */
export const SIGN_IN = {
  /** Makes a link by which a browser signs in as the caller, once. Without `code` if authentication is off. */
  createLink: 'POST /sign-in-links +body',
  /**
   * Exchanges the code of a link for a token; needs none. Rejects with 404 for an unknown code, and 409 with code `sign_in_link_used` or
   * `sign_in_link_expired`.
   */
  redeemLink: 'POST /sign-in +body.code',
  /** Revokes the token of this client. Rejects with 409 if it does not come from a link. */
  signOut: 'POST /sign-out',
} as const;

/** What is asked of the client itself: workflows, executions, approvals, work and tokens. */
export const COMMANDS = {
  /** Lists workflow versions, newest first. */
  workflows: 'GET /workflows +query',
  /** What was registered under the versions of a workflow, the last registered first. Rejects with 404 if it does not exist. */
  revisions: 'GET /workflows/:workflow_id/revisions +query',
  /**
   * What is known of a workflow before it runs: the warnings of its registration, and the findings of an exploration of its paths. The first
   * request for a revision may take seconds. Rejects with 404, or 400 if the workflow is too large.
   */
  findings: 'GET /workflows/:workflow_id/findings +query',
  /** Lists executions, newest first; conditions are combined with AND. Continue with the `next_cursor` of a page. */
  executions: 'GET /executions +query',
  /** How many executions match, by status. Exact; a million take about a fifth of a second. */
  executionCounts: 'GET /executions/counts +query',
  /** Executions grouped by their errors; without a status, failed ones. Looks at the newest 10,000 that match. */
  executionErrors: 'GET /executions/errors +query',
  /**
   * The visits to a node with their attempts: inputs, outputs, errors with stacks, usage. Without `before`, the last ones. Rejects with 404 if
   * the execution has no such node.
   */
  node: 'GET /executions/:id/nodes/:node_id +query',
  /** Suspends an execution: running work completes, nothing new starts until `resume`. */
  pause: 'POST /executions/:id/pause +body.reason',
  /** Resumes a suspended execution. One that exceeded its budget needs higher totals. Rejects with 409 if it is not suspended. */
  resume: 'POST /executions/:id/resume +body',
  /** Runs the failed nodes of a failed execution again. Rejects with 409 if it has not failed by a node. */
  retry: 'POST /executions/:id/retry',
  /** Cancels an execution with its work and child executions. Rejects with 400 if it has ended. */
  cancel: 'POST /executions/:id/cancel +body.reason',
  /** Decides a pending approval. Rejects with 409 if it is already decided, or if several are pending and none is named. */
  approve: 'POST /executions/:id/approve +body',
  /** Approvals of all executions: pending ones (the longest wait first), or decided ones (the newest first). */
  approvalInbox: 'GET /approvals +query',
  /** How many approvals of all executions await a decision. */
  approvalCounts: 'GET /approvals/counts +query',
  /** Pending and decided approvals of an execution. */
  approvals: 'GET /executions/:id/approvals',
  /** Puts a work item into a queue, outside any workflow node. */
  enqueueWork: 'POST /work-items +body',
  /** Completes a claimed work item. Rejects with 409 if the lease is lost. */
  completeWork: 'POST /work-items/:id/complete +body',
  /** Fails a claimed work item; the node is retried by its retry policy. Rejects with 409 if the lease is lost. */
  failWork: 'POST /work-items/:id/fail +body',
  /** Renews the lease of a claimed work item. Rejects with 409 if the lease is lost. */
  heartbeat: 'POST /work-items/:id/heartbeat +body',
  /** Runtimes and workers that were seen lately; by default 1,000, which is also the most. */
  workers: 'GET /workers +query',
  /** Who the caller is: tenant, name, role and rights of its token. */
  me: 'GET /me',
  /** Creates an API token. The reply contains its text, which is not shown again. Requires an operator token. */
  createToken: 'POST /tokens +body',
  /** Lists the tokens of the tenant, without their text. */
  tokens: 'GET /tokens',
  /** Revokes a token. Servers reject it within seconds. */
  revokeToken: 'DELETE /tokens/:id',
} as const;
