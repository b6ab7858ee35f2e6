/** What a durable function is given, and what does the work of a state machine. */
export type * from '../../executors/durable/context.ts';
export type * from '../../executors/durable/machine/activity.ts';
