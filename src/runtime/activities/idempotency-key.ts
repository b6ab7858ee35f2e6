/** The same for every attempt at one piece of work: of a visit to a node, or of one of its items. */
export function idempotencyKeyOf(visit: {
  readonly executionId: string;
  readonly node: string;
  readonly activation: number;
  readonly item?: number | null | undefined;
}): string {
  const { executionId, node, activation, item } = visit;
  return item == null ? `${executionId}:${node}:${activation}` : `${executionId}:${node}:${activation}:${item}`;
}
