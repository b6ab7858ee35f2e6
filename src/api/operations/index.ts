import type { AGENTS } from './agents.ts';
import type { APPROVALS } from './approvals.ts';
import type { AUDIT } from './audit.ts';
import type { COORDINATOR } from './coordinator.ts';
import type { CRON } from './cron.ts';
import type { EXECUTIONS } from './executions.ts';
import type { HISTORY } from './history.ts';
import type { IDENTITY } from './identity.ts';
import type { INTERVENTIONS } from './interventions.ts';
import type { JOBS } from './jobs.ts';
import type { KEYED_EVENTS } from './keyed-events.ts';
import type { MEMORY } from './memory.ts';
import type { NODES } from './nodes.ts';
import type { SIGN_IN } from './sign-in.ts';
import type { TENANTS } from './tenants.ts';
import type { THREADS } from './threads.ts';
import type { TOKENS } from './tokens.ts';
import type { UPDATES } from './updates.ts';
import type { WEBHOOKS } from './webhooks.ts';
import type { WORK_ITEMS } from './work-items.ts';
import type { WORKERS } from './workers.ts';
import type { WORKFLOW_FINDINGS } from './workflow-findings.ts';
import type { WORKFLOWS } from './workflows.ts';

type Declared = typeof AGENTS &
  typeof APPROVALS &
  typeof AUDIT &
  typeof COORDINATOR &
  typeof CRON &
  typeof EXECUTIONS &
  typeof HISTORY &
  typeof IDENTITY &
  typeof INTERVENTIONS &
  typeof JOBS &
  typeof KEYED_EVENTS &
  typeof MEMORY &
  typeof NODES &
  typeof SIGN_IN &
  typeof TENANTS &
  typeof THREADS &
  typeof TOKENS &
  typeof UPDATES &
  typeof WEBHOOKS &
  typeof WORK_ITEMS &
  typeof WORKERS &
  typeof WORKFLOW_FINDINGS &
  typeof WORKFLOWS;

/** Every operation by method and path. */
export type Operations = Declared['operations'];
