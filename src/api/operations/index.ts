import type { CRON } from './cron.ts';
import type { MEMORY } from './memory.ts';
import type { TENANTS } from './tenants.ts';
import type { TOKENS } from './tokens.ts';
import type { WEBHOOKS } from './webhooks.ts';

type Declared = typeof CRON & typeof MEMORY & typeof TENANTS & typeof TOKENS & typeof WEBHOOKS;

/** Every operation by method and path. */
export type Operations = Declared['operations'];
