/** What a durable function is given. */
export type * from '../../executors/durable/context.ts';
