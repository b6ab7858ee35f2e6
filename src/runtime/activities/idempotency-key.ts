/** The same for every attempt of one visit to a node. */
export function idempotencyKeyOf(visit: {
  readonly executionId: string;
  readonly node: string;
  readonly activation: number;
}): string {
  return `${visit.executionId}:${visit.node}:${visit.activation}`;
}
