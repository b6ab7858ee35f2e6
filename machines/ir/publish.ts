import type { Json } from '../json.ts';
import type { Fields } from '../reading/fields.ts';

/** Where a workflow may appear under its own name: as a tool of MCP, as a skill of A2A. */
export const CHANNELS = ['mcp', 'a2a'] as const;
export type Channel = (typeof CHANNELS)[number];

export function readPublish(fields: Fields): readonly Channel[] {
  const given = fields.json('publish');
  const channels = channelsIn(given);
  if (channels !== null) return channels;
  const names = CHANNELS.map((channel) => `"${channel}"`).join(' and ');
  fields.error('wrong_type', 'publish', `must be a list of ${names}, or true for both`);
  return [];
}

/** The channels that a document names: a list, a single one, or true for all. Null = it names something else. */
export function channelsIn(given: Json | undefined): readonly Channel[] | null {
  if (given === undefined || given === null || given === false) return [];
  if (given === true) return CHANNELS;
  const list = Array.isArray(given) ? (given as readonly Json[]) : [given];
  return list.every((name) => CHANNELS.some((channel) => channel === name))
    ? CHANNELS.filter((channel) => list.includes(channel))
    : null;
}
