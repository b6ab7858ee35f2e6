export const SECRET_HINT = 'The receiver verifies signatures with this secret. Copy it now: it is not shown again.';
