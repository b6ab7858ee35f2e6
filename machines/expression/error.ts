/** An expression that cannot be parsed or has no value. Callers outside this folder get its message only. */
export class ExpressionError extends Error {}

/** An expression larger than any that a person writes: the document is refused instead of warned about. */
export class TooLarge extends ExpressionError {}

/** The budget that the expressions of a step share is used up. */
export class BudgetExceeded extends ExpressionError {}
