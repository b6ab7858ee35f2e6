/** Pages the team on duty. */
export function page_team({ team, request }) {
  return `paged ${team}: ${request}`;
}

/** Opens a ticket. */
export function open_ticket({ team, request }) {
  return `ticket for ${team}: ${request}`;
}
