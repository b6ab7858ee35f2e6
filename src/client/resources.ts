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
