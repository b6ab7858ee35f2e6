import type { AgentCard } from '@a2a-js/sdk';
import type { Client } from '@a2a-js/sdk/client';
import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { WorkError } from '../executor.ts';
import type { Outbound } from '../outbound/index.ts';
import { guardedFetch } from './guarded-fetch.ts';
import type { ReachedAgent } from './remote-agents.ts';

/** Loaded at the first call, because loading takes longer than the start of a server. */
const loadSdk = () => import('@a2a-js/sdk/client');

/** The official client for an agent with a card, of A2A 1.0 or 0.3. Throws `WorkError` if the card names no address that can be used. */
export async function clientOf({ address, card }: ReachedAgent, outbound: Outbound): Promise<Client> {
  const { name, url, credential } = address;
  if (card === null)
    throw new WorkError(`agent "${name}" has no agent card at ${url}`, { retryable: false, errorClass: 'no_agent_card' });
  const { ClientFactory, JsonRpcTransportFactory, RestTransportFactory } = await loadSdk();
  const fetchImpl = guardedFetch({ agent: name, outbound, ...credential });
  const options = { fetchImpl, legacyCompat: { enabled: true } };
  const factory = new ClientFactory({
    transports: [new JsonRpcTransportFactory(options), new RestTransportFactory(options)],
    clientConfig: { polling: true },
  });
  try {
    return await factory.createFromAgentCard(usableCard(card, url));
  } catch (cause) {
    const message = `the card of agent "${name}" names no transport that is supported (JSONRPC, HTTP+JSON)`;
    throw new WorkError(message, { cause, retryable: false, errorClass: 'no_agent_card' });
  }
}

/** What the client needs of a card, whatever version it is of: the addresses and their protocols. */
function usableCard(card: JsonObject, base: string): AgentCard {
  const own = (Array.isArray(card.supportedInterfaces) ? (card.supportedInterfaces as readonly Json[]) : []).filter(isObject);
  const older = [
    { url: card.url ?? card.uri ?? base, transport: card.preferredTransport },
    ...(Array.isArray(card.additionalInterfaces) ? (card.additionalInterfaces as readonly Json[]).filter(isObject) : []),
  ];
  const interfaces =
    own.length > 0
      ? own
      : older.map(({ url, transport }) => ({ url, protocolBinding: transport ?? 'JSONRPC', protocolVersion: '0.3' }));
  const capabilities = isObject(card.capabilities) ? card.capabilities : {};
  return {
    name: String(card.name ?? ''),
    description: '',
    supportedInterfaces: interfaces.map(({ url, protocolBinding, protocolVersion, tenant }: JsonObject) => ({
      url: absolute(url, base),
      protocolBinding: String(protocolBinding ?? 'JSONRPC'),
      protocolVersion: String(protocolVersion ?? '1.0'),
      tenant: typeof tenant === 'string' ? tenant : '',
    })),
    provider: undefined,
    version: '',
    capabilities: {
      streaming: capabilities.streaming === true,
      pushNotifications: false,
      extendedAgentCard: false,
      extensions: [],
    },
    securitySchemes: {},
    securityRequirements: [],
    defaultInputModes: [],
    defaultOutputModes: [],
    skills: [],
    signatures: [],
  };
}

function absolute(url: Json | undefined, base: string): string {
  return typeof url === 'string' && URL.canParse(url, base) ? new URL(url, base).href : base;
}
