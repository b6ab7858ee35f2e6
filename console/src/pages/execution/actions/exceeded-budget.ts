import type { Event } from '../../../../../src/api/schemas/events.ts';

/** Which budget a paused execution has exceeded, as a sentence without its full stop; null = it was paused for another reason. */
export function exceededBudget(events: readonly Event[]): string | null {
  for (let at = events.length - 1; at >= 0; at -= 1) {
    const event = events[at];
    if (event === undefined || event.type === 'workflow_resumed') return null;
    if (event.type === 'token_budget_exceeded') {
      const { kind, current, limit } = event.data;
      return `${current.toLocaleString()} of ${limit.toLocaleString()} ${kind.replaceAll('_', ' ')} are used`;
    }
    if (event.type === 'cost_budget_exceeded') return `$${event.data.current_usd} of $${event.data.limit_usd} are spent`;
  }
  return null;
}
