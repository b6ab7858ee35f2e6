import { type Static, Type } from 'typebox';
import type { RpcAnswer } from '../a2a/rpc.ts';
import { AnyJson, AnyObject } from './fields.ts';

/** A JSON-RPC 2.0 request; what is wrong with it is told in JSON-RPC as well. */
export const A2aCall = AnyJson;

export const A2aAnswer = Type.Unsafe<RpcAnswer>(
  Type.Object({
    jsonrpc: Type.Literal('2.0'),
    id: Type.Union([Type.String(), Type.Number(), Type.Null()]),
    result: Type.Optional(AnyObject),
    error: Type.Optional(Type.Object({ code: Type.Integer(), message: Type.String(), data: Type.Array(AnyObject) })),
  }),
);

const Texts = Type.Array(Type.String());

/** The A2A agent card of this server, in the forms of 1.0 and 0.3 at once. */
export const A2aCard = Type.Object({
  name: Type.String(),
  description: Type.String(),
  version: Type.String(),
  url: Type.String(),
  preferredTransport: Type.String(),
  protocolVersion: Type.String(),
  supportedInterfaces: Type.Array(
    Type.Object({ url: Type.String(), protocolBinding: Type.String(), protocolVersion: Type.String() }),
  ),
  capabilities: Type.Object({
    streaming: Type.Boolean(),
    pushNotifications: Type.Boolean(),
    extendedAgentCard: Type.Boolean(),
  }),
  defaultInputModes: Texts,
  defaultOutputModes: Texts,
  securitySchemes: AnyObject,
  security: Type.Array(AnyObject),
  securityRequirements: Type.Array(AnyObject),
  skills: Type.Array(
    Type.Object({
      id: Type.String(),
      name: Type.String(),
      description: Type.String(),
      tags: Texts,
      examples: Texts,
      inputModes: Texts,
      outputModes: Texts,
    }),
  ),
});
export type A2aCard = Static<typeof A2aCard>;
