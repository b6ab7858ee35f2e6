import type { JsonObject } from '../../../machines/json.ts';
import { VERSION } from '../../config.ts';

export const INFO: JsonObject = {
  title: 'JamJet runtime',
  version: VERSION,
  summary: 'Durable execution of agent workflows.',
  description: `JSON in and out; a body is read as JSON whatever its content type says.

Ids of executions are \`exec_\` and 32 hex digits. Times are RFC 3339 in UTC with milliseconds. Errors are
\`{"error": "<class>: <what is wrong>", "code": "<stable code>"}\`; another method on a known path is a 405 that names the right ones.

Every route is also served under \`/compat\`, where events are written in the tagged form that JamJet's Python SDK reads, and under
\`/api/v1\`, where its Java SDK looks for it.`,
  license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
};

export const SERVERS: readonly JsonObject[] = [
  { url: '/', description: 'As the reference has it.' },
  {
    url: '/compat',
    description: "For JamJet's Python SDK and CLI: `kind` of an event is an object; lists of executions have states.",
  },
  { url: '/api/v1', description: "For JamJet's Java SDK: as `/compat`, with the paths tagged `Java SDK` beside." },
];

/** The groups of routes, in the order of the page. */
export const TAGS: readonly JsonObject[] = [
  { name: 'Health', description: 'Is the server there?' },
  {
    name: 'Workflows',
    description: 'Definitions. A version may be registered again with other content: executions keep theirs.',
  },
  { name: 'Executions', description: 'Runs of a workflow: start, read, wait for, cancel.' },
  { name: 'Events', description: 'The append-only log of an execution, and events from outside that wake it.' },
  { name: 'Approvals', description: 'What waits for a person, and what was decided.' },
  { name: 'Work items', description: 'For external workers: claim, renew, complete, fail.' },
  { name: 'Workers', description: 'Who works.' },
  { name: 'Jobs', description: 'One action on every execution that matches a filter.' },
  { name: 'Cron', description: 'Workflows that are started by the clock.' },
  { name: 'Artifacts', description: 'Bytes under their hash: uploads, and outputs too large for the log.' },
  { name: 'Agents', description: 'Cards of agents, here and elsewhere, and how they are.' },
  { name: 'Tenants', description: 'Whose everything is, and how much they may use; operators only.' },
  { name: 'Federation', description: 'How other runtimes find this one.' },
  { name: 'Tokens', description: 'API tokens of the tenant; operators only.' },
  { name: 'Webhooks', description: 'Events of executions, delivered to URLs of your own.' },
  { name: 'Audit', description: 'What happened, who did it, and the proof that nobody has changed it since.' },
  { name: 'MCP', description: 'The same API as tools of the Model Context Protocol.' },
  { name: 'Java SDK', description: "Paths that only JamJet's Java SDK uses." },
  { name: 'Documentation', description: 'This document.' },
];
