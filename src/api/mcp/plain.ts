import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';

const PROTOCOL_VERSION = '2024-11-05';

/** Fills in what clients of plain JSON-RPC leave out: the parameters of the handshake, and the id, which becomes 1. */
export function withProtocolDefaults(message: unknown): unknown {
  if (!isObject(message) || typeof message.method !== 'string') return message;
  const { method, id = 1, params, ...rest } = message;
  const initial: JsonObject =
    method === 'initialize'
      ? { protocolVersion: PROTOCOL_VERSION, capabilities: {}, clientInfo: { name: 'unknown', version: '0' } }
      : {};
  const given = isObject(params) ? params : {};
  return { jsonrpc: '2.0', ...rest, id, method, params: { ...initial, ...given } };
}

/** The reply to a notification, for clients that wait for one; null if the message is not a notification. */
export function acknowledgement(message: unknown): Json {
  if (!isObject(message) || typeof message.method !== 'string') return null;
  const notifies = message.method === 'initialized' || message.method.startsWith('notifications/');
  return notifies ? { jsonrpc: '2.0', id: message.id ?? 1, result: {} } : null;
}
