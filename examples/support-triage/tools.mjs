/**
 * Pages the team on duty.
 *
 * @param {{ team: string, request: string }} input
 */
export function page_team({ team, request }) {
  return `paged ${team}: ${request}`;
}

/**
 * Opens a ticket.
 *
 * @param {{ team: string, request: string }} input
 */
export function open_ticket({ team, request }) {
  return `ticket for ${team}: ${request}`;
}
