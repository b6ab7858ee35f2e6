import type { CRON } from './cron.ts';

/** Every operation by method and path. */
export type Operations = (typeof CRON)['operations'];
