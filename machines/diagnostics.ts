/** A problem of a workflow. An error refuses the workflow; warnings are reported when it is registered. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  /** Stable, snake_case: `unknown_target`, `loop_in_fan_out` … */
  readonly code: string;
  /** Null = the workflow as a whole. */
  readonly node_id: string | null;
  /** Path of the key in the document, such as `nodes.review.kind.timeout_secs`. */
  readonly path: string | null;
  readonly message: string;
  /** How to correct it; for a misspelt name, the name that was probably meant. */
  readonly hint: string | null;
}

/**
 * The document is no valid workflow. Has all errors, not only the first.
 *
 * @example
 * await runtime.register(caller, document).catch((error: unknown) => {
 *   if (error instanceof InvalidWorkflow) for (const { message, hint } of error.diagnostics) console.error(message, hint ?? '');
 * });
 */
export class InvalidWorkflow extends Error {
  readonly code = 'invalid_workflow';
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map((d) => d.message).join('; '));
    this.name = 'InvalidWorkflow';
    this.diagnostics = diagnostics;
  }
}
