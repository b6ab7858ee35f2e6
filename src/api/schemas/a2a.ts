import { type Static, Type } from 'typebox';
import type { RpcAnswer } from '../a2a/rpc.ts';
import { anyJson, anyObject, flag, integer, listOf, text } from './fields.ts';

/** Checked by the handler, so that a malformed request is answered in JSON-RPC. */
export const A2aCall = anyJson('A JSON-RPC 2.0 request of A2A.');

export const A2aError = Type.Object(
  {
    code: integer('JSON-RPC or A2A error code.'),
    message: text('What is wrong with the request.'),
    data: listOf(anyObject('A `google.rpc.ErrorInfo` with `reason` and `domain`.'), 'Details in the form of A2A 1.0.'),
  },
  { description: 'Why an A2A request was refused.' },
);

export const A2aAnswer = Type.Unsafe<RpcAnswer>(
  Type.Object(
    {
      jsonrpc: Type.Literal('2.0', { description: 'Version of JSON-RPC.' }),
      id: Type.Union([Type.String(), Type.Number(), Type.Null()], {
        description: 'Id of the request; null if it could not be read.',
      }),
      result: Type.Optional(anyObject('The task. Absent if the request was refused.')),
      error: Type.Optional(A2aError),
    },
    { description: 'The JSON-RPC 2.0 response to an A2A request: `result` or `error`.' },
  ),
);

const texts = (description: string) => listOf(Type.String(), description);

export const A2aInterface = Type.Object(
  {
    url: text('URL that takes the requests.'),
    protocolBinding: text('Transport: `JSONRPC`.'),
    protocolVersion: text('Version of A2A: `1.0` or `0.3`.'),
  },
  { description: 'One way to call the agent.' },
);

export const A2aCapabilities = Type.Object(
  {
    streaming: flag('Streams tasks: true.'),
    pushNotifications: flag('Sends push notifications: false. Webhooks do that.'),
    extendedAgentCard: flag('Has a card for authenticated clients, with the published workflows of their tenant: true.'),
  },
  { description: 'Optional features of A2A.' },
);

export const A2aSkill = Type.Object(
  {
    id: text('Id of the skill.'),
    name: text('Name of the skill, for people.'),
    description: text('What the skill does, and how to call it.'),
    tags: texts('Keywords.'),
    examples: texts('Example requests.'),
    inputModes: texts('Media types the skill accepts.'),
    outputModes: texts('Media types the skill returns.'),
  },
  { description: 'Something the agent can do.' },
);

export const A2aCard = Type.Object(
  {
    name: text('Name of the agent.'),
    description: text('What the agent does.'),
    version: text('Version of the runtime.'),
    url: text('URL that takes the requests, for A2A 0.3.'),
    preferredTransport: text('Transport of `url`, for A2A 0.3: `JSONRPC`.'),
    protocolVersion: text('Version of A2A spoken at `url`: `0.3.0`.'),
    supportedInterfaces: listOf(A2aInterface, 'Ways to call the agent, for A2A 1.0, preferred first.'),
    capabilities: A2aCapabilities,
    defaultInputModes: texts('Media types the agent accepts.'),
    defaultOutputModes: texts('Media types the agent returns.'),
    securitySchemes: anyObject('Ways to authenticate, by name.'),
    security: listOf(anyObject('Names of security schemes.'), 'Which schemes a request needs, for A2A 0.3.'),
    securityRequirements: listOf(anyObject('Names of security schemes.'), 'Which schemes a request needs, for A2A 1.0.'),
    skills: listOf(A2aSkill, 'What the agent can do.'),
  },
  { description: 'The A2A agent card of this server, readable as a card of A2A 1.0 and 0.3.' },
);
export type A2aCard = Static<typeof A2aCard>;
