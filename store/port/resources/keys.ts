/** The key of an execution, which one live execution of the workflow has at most. */
export interface ExecutionKey {
  readonly workflowId: string;
  readonly key: string;
}

/** What a commit does to the key of its execution. */
export type KeyWrite = ExecutionKey &
  (
    | /** The unit is rejected (`key`) if an execution has the key. */
    { readonly op: 'take' }
    /** The execution gets the key from another one, which it continues. Otherwise like `take`. */
    | { readonly op: 'inherit'; readonly from: string }
    /** The execution has ended. */
    | { readonly op: 'free' }
  );
