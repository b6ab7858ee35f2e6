/**
 * Opens an incident in the tracker; here it only numbers it by the idempotency key.
 *
 * @param {{ alarm: string, severity: string }} input
 */
export function open_incident({ alarm, severity }, { idempotencyKey }) {
  return { id: `INC-${idempotencyKey.slice(0, 6)}`, alarm, severity };
}
