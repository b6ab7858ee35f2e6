import type { JsonObject } from '../../../machines/json.ts';
import { VERSION } from '../../server/config.ts';

export const INFO: JsonObject = {
  title: 'JamJet runtime',
  version: VERSION,
  summary: 'Durable execution of agent workflows.',
  description: `Requests and replies are JSON; a body is read as JSON whatever its content type.

Ids of executions are \`exec_\` and 32 hex digits. Times are RFC 3339 in UTC with milliseconds. Errors are
\`{"error": "<class>: <what is wrong>", "code": "<stable code>"}\`. An unknown method of a known path is a 405 that lists the known ones.

Every route is also served under \`/compat\`, where events have the tagged form that JamJet's Python SDK reads, and under
\`/api/v1\`, the prefix that JamJet's Java SDK uses.`,
  license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
};

export const SERVERS: readonly JsonObject[] = [
  { url: '/', description: 'The routes as documented.' },
  {
    url: '/compat',
    description: "For JamJet's Python SDK and CLI: `kind` of an event is an object, and lists of executions include states.",
  },
  { url: '/api/v1', description: "For JamJet's Java SDK: as `/compat`, and with the routes tagged `Java SDK`." },
];

/** The groups of routes, in the order of the documentation page. */
export const TAGS: readonly JsonObject[] = [
  { name: 'Health', description: 'State of the server.' },
  {
    name: 'Workflows',
    description: 'Workflow definitions. A version may be registered again with other content; running executions keep theirs.',
  },
  { name: 'Executions', description: 'Runs of a workflow: start, read, wait for, pause, cancel, retry, fork.' },
  { name: 'Events', description: 'The append-only log of an execution, and external events sent to it.' },
  { name: 'Approvals', description: 'Decisions that executions await from people, and those that were made.' },
  { name: 'Work items', description: 'Work of external workers: claim, renew, complete, fail.' },
  { name: 'Workers', description: 'Workers and in-process work.' },
  { name: 'Jobs', description: 'Bulk jobs: one action on every execution that matches a filter.' },
  { name: 'Cron', description: 'Workflows that are started on a schedule.' },
  { name: 'Memory', description: 'Texts that workflows and tools find by their words.' },
  { name: 'Threads', description: 'Conversations that agents and models read and continue, across executions.' },
  { name: 'Artifacts', description: 'Bytes stored under their hash: uploads, and outputs too large for the log.' },
  { name: 'Agents', description: 'Registered agents: their cards, status and history.' },
  { name: 'Tenants', description: 'Tenants and their limits; operators only.' },
  { name: 'Federation', description: 'Documents by which other systems find this server, and A2A.' },
  { name: 'Identity', description: 'Who the caller is, and signing in to the console by one-time links.' },
  { name: 'Tokens', description: 'API tokens of the tenant; operators only.' },
  { name: 'Webhooks', description: 'Delivery of events to URLs.' },
  { name: 'Audit', description: 'The audit log: what happened, who did it, and the proof that it has not been changed.' },
  { name: 'MCP', description: 'This API as tools of the Model Context Protocol.' },
  { name: 'Java SDK', description: "Routes that only JamJet's Java SDK uses." },
  { name: 'Console', description: 'The web console.' },
  { name: 'Documentation', description: 'This document.' },
];
