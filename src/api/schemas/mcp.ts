import { type Static, Type } from 'typebox';
import { anyJson, anyObject, integer, text } from './fields.ts';

/** The MCP SDK checks the message, so that a malformed one is answered in JSON-RPC. */
export const McpMessage = Type.Unsafe<unknown>({ description: 'A JSON-RPC 2.0 request or notification, or a batch of them.' });

export const McpError = Type.Object(
  {
    code: integer('JSON-RPC error code.'),
    message: text('What is wrong with the request.'),
    data: Type.Optional(anyJson('Details; usually absent.')),
  },
  { description: 'Why an MCP request was refused.' },
);

export const McpAnswer = Type.Object(
  {
    jsonrpc: Type.Literal('2.0', { description: 'Version of JSON-RPC.' }),
    id: Type.Union([Type.String(), Type.Number(), Type.Null()], {
      description: 'Id of the request; null if it could not be read.',
    }),
    result: Type.Optional(anyObject('Result of the method. Absent if the request was refused.')),
    error: Type.Optional(McpError),
  },
  { description: 'The JSON-RPC 2.0 response to an MCP request: `result` or `error`.' },
);
export type McpAnswer = Static<typeof McpAnswer>;

export const McpAnswers = Type.Union([McpAnswer, Type.Array(McpAnswer)], {
  description: 'The response, or the responses to a batch.',
});
