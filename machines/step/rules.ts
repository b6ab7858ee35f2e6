/**
 * The rules of the graph that an execution follows, from its start to its end, so that a log is replayed by those that wrote it:
 *
 * 1. of the first releases. What lies behind a loop, around a section, was skipped when the section was left. A run that reached its step limit
 *    before a `limit_exceeded` node ended as `limit_exceeded`.
 * 2. It is skipped as soon as the loop cannot go round again, and the step limit fails the run.
 */
export const RULES = 2;
export const FIRST_RULES = 1;
