/**
 * Reports errors that no caller waits for. One error may reach several parts of the runtime, e.g. all that ask for a corrupt
 * execution: it is reported once. An `onError` that throws only causes a process warning.
 */
export function createErrorReporter(onError: ((error: unknown) => void) | undefined): (error: unknown) => void {
  const reported = new WeakSet<object>();
  return (error) => {
    if (error instanceof Error && reported.has(error)) return;
    if (error instanceof Error) reported.add(error);
    try {
      onError?.(error);
    } catch (problem) {
      process.emitWarning(`onError threw: ${String(problem)}`);
    }
  };
}
