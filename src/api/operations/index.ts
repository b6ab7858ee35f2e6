import type { AGENTS } from './agents.ts';
import type { APPROVALS } from './approvals.ts';
import type { CRON } from './cron.ts';
import type { INTERVENTIONS } from './interventions.ts';
import type { JOBS } from './jobs.ts';
import type { MEMORY } from './memory.ts';
import type { TENANTS } from './tenants.ts';
import type { TOKENS } from './tokens.ts';
import type { WEBHOOKS } from './webhooks.ts';
import type { WORK_ITEMS } from './work-items.ts';
import type { WORKERS } from './workers.ts';

type Declared = typeof AGENTS &
  typeof APPROVALS &
  typeof CRON &
  typeof INTERVENTIONS &
  typeof JOBS &
  typeof MEMORY &
  typeof TENANTS &
  typeof TOKENS &
  typeof WEBHOOKS &
  typeof WORK_ITEMS &
  typeof WORKERS;

/** Every operation by method and path. */
export type Operations = Declared['operations'];
