import type { ExecutionSummary, ExecutionView } from '../../runtime/types/executions.ts';

// What replies say of an execution, with the names of all references, so that every client finds those it knows.

export type ExecutionInReply = ReturnType<typeof itemOf>;

export function itemOf(view: ExecutionSummary) {
  const { executionId: id, createdAtMs: startedAtMs, segment: segmentNumber, error: detail } = view;
  return Object.assign({ id, startedAtMs, segmentNumber, detail }, view);
}

export function inReply(view: ExecutionView) {
  const { state, input, suspended, status } = view;
  return Object.assign(
    { currentState: state, initialInput: input, held: suspended && (true as const), heldReason: suspended?.reason },
    itemOf(view),
    { state, input, output: status === 'completed' ? state : null },
  );
}

export function withState(view: ExecutionView) {
  return Object.assign({ state: view.state }, itemOf(view));
}

export function sdkItemOf(view: ExecutionView) {
  return Object.assign({ currentState: view.state, initialInput: view.input }, itemOf(view));
}
