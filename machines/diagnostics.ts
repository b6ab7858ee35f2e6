/** What `validate` finds. Errors refuse the workflow; warnings are reported with the registration. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  /** Stable, snake_case: `unknown_target`, `loop_in_fan_out` … */
  readonly code: string;
  /** Null = the workflow as a whole. */
  readonly node_id: string | null;
  /** Path of the offending key inside the document, e.g. `nodes.review.kind.timeout_secs`. */
  readonly path: string | null;
  readonly message: string;
  /** What to do about it; a did-you-mean for misspelt names. */
  readonly hint: string | null;
}

/** The document cannot become a workflow. Carries every error found, not just the first. */
export class InvalidWorkflow extends Error {
  readonly code = 'invalid_workflow';
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map((d) => d.message).join('; '));
    this.name = 'InvalidWorkflow';
    this.diagnostics = diagnostics;
  }
}
