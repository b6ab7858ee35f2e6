import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import { findCard } from '../executors/a2a/find-card.ts';
import { Outbound } from '../executors/outbound/index.ts';

/** The card of an A2A agent, in whatever version it is written. */
export interface RemoteCard {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly url: string;
  /** Versions of A2A and transports: `1.0 JSONRPC`. */
  readonly protocols: readonly string[];
  readonly streaming: boolean;
  readonly input_modes: readonly string[];
  readonly skills: readonly { readonly id: string; readonly name: string; readonly description: string }[];
  /** As the agent gives it. */
  readonly card: JsonObject;
}

/** Reads the card of an agent from this computer. Rejects with `WorkError`. */
export async function readRemoteCard(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<RemoteCard> {
  const { card } = await findCard(new Outbound({ allowPrivateAddresses: true }), { url, headers, signal });
  const capabilities = isObject(card.capabilities) ? card.capabilities : {};
  const interfaces = objectsIn(card.supportedInterfaces);
  const [first] = interfaces;
  return {
    name: textOf(card.name ?? card.id),
    version: textOf(card.version),
    description: textOf(card.description),
    url: textOf(card.url ?? first?.url ?? card.uri ?? url),
    protocols:
      interfaces.length > 0
        ? interfaces.map(({ protocolVersion, protocolBinding }) => `${textOf(protocolVersion)} ${textOf(protocolBinding)}`.trim())
        : [`${textOf(card.protocolVersion)} ${textOf(card.preferredTransport)}`.trim()].filter((protocol) => protocol !== ''),
    streaming: capabilities.streaming === true,
    input_modes: textsIn(card.defaultInputModes ?? card.input_modes),
    skills: objectsIn(card.skills ?? capabilities.skills).map((skill) => ({
      id: textOf(skill.id ?? skill.name),
      name: textOf(skill.name ?? skill.id),
      description: textOf(skill.description),
    })),
    card,
  };
}

function objectsIn(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter(isObject) : [];
}

function textsIn(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter((item) => typeof item === 'string') : [];
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
