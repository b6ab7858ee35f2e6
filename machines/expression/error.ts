/** An expression that cannot be read or has no value. Never leaves this folder: callers get its message. */
export class ExpressionError extends Error {}
