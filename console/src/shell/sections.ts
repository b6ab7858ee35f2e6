import type { Access } from '../session/session.ts';

interface Section {
  readonly href: string;
  readonly label: string;
  /** Shown to roles with this access. */
  readonly access: Access;
}

export const SECTIONS: readonly Section[] = [
  { href: '/executions', label: 'Executions', access: 'read' },
  { href: '/jobs', label: 'Bulk jobs', access: 'read' },
  { href: '/approvals', label: 'Approvals', access: 'read' },
  { href: '/threads', label: 'Threads', access: 'read' },
  { href: '/workflows', label: 'Workflows', access: 'read' },
  { href: '/agents', label: 'Agents', access: 'read' },
  { href: '/workers', label: 'Workers', access: 'read' },
  { href: '/cron', label: 'Cron', access: 'read' },
  { href: '/webhooks', label: 'Webhooks', access: 'read' },
  { href: '/audit', label: 'Audit', access: 'read' },
  { href: '/tenants', label: 'Tenants', access: 'operator' },
  { href: '/tokens', label: 'Tokens', access: 'operator' },
];

/** The section of a page: `/tenants` of `/tenants/default`. */
export function sectionOf(path: string): Section | undefined {
  const first = `/${path.split('/', 2)[1]}`;
  return SECTIONS.find(({ href }) => href === first);
}
