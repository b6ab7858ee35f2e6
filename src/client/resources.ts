// The methods of the client by resource. A path parameter is an argument of its method, in order.

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
