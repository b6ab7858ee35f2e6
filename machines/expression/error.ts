/** An expression that cannot be read or has no value. Never leaves this folder: callers get its message. */
export class ExpressionError extends Error {}

/** Larger than anybody writes by hand: not a mistake, but an attack or a machine gone wrong. */
export class TooLarge extends ExpressionError {}

/** The work that all expressions of a step may do together is done. */
export class BudgetExceeded extends ExpressionError {}
