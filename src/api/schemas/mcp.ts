import { type Static, Type } from 'typebox';
import { AnyJson, AnyObject } from './fields.ts';

const Id = Type.Union([Type.String(), Type.Number(), Type.Null()]);

/** A JSON-RPC 2.0 request, a notification, or a batch of them. What exactly is for the protocol to say. */
export const McpMessage = Type.Unsafe<unknown>({ description: 'A JSON-RPC 2.0 request or notification, or a batch of them.' });

const McpError = Type.Object({
  code: Type.Integer(),
  message: Type.String(),
  data: Type.Optional(AnyJson),
});

/** The answer to a request: with a result, or with an error. */
export const McpAnswer = Type.Object({
  jsonrpc: Type.Literal('2.0'),
  id: Id,
  result: Type.Optional(AnyObject),
  error: Type.Optional(McpError),
});
export type McpAnswer = Static<typeof McpAnswer>;

export const McpAnswers = Type.Union([McpAnswer, Type.Array(McpAnswer)]);
