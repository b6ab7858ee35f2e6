import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';

const PROTOCOL_VERSION = '2024-11-05';

/**
 * Clients that POST plain JSON-RPC, without the handshake of the protocol, leave out what it asks for: this fills it in. A request
 * without an id gets the id 1.
 */
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

/** The answer to a notification, for clients that wait for one; null when the message is none. */
export function acknowledgement(message: unknown): Json {
  if (!isObject(message) || typeof message.method !== 'string') return null;
  const notifies = message.method === 'initialized' || message.method.startsWith('notifications/');
  return notifies ? { jsonrpc: '2.0', id: message.id ?? 1, result: {} } : null;
}
