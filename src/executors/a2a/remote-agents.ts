import type { RemoteAgent } from '../../../machines/ir/remote-agents.ts';
import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { shortened } from '../../../machines/shortened.ts';
import { withVariables } from '../../../machines/variables.ts';
import { RecentlyUsed } from '../../../store/recently-used.ts';
import { bearer, type CredentialHeaders, Credentials, requireHttps } from '../credentials.ts';
import { WorkError } from '../executor.ts';
import { invalid } from '../http-content.ts';
import type { Outbound } from '../outbound/index.ts';
import type { AgentDirectory } from './directory.ts';
import { findCard } from './find-card.ts';

/** How long a card is used before it is read again. */
const CARD_LIFE_MS = 60_000;
const MAX_CARDS = 1_000;
/** Longest name of an agent in an error. */
const MAX_NAME = 200;
/** Longest search for a card. */
const CARD_TIMEOUT_MS = 10_000;

/** What the runtime knows of remote agents: shared by all workflows. */
export interface RemoteAgentsOptions {
  readonly outbound: Outbound;
  readonly directory: AgentDirectory;
  readonly nowMs?: () => number;
}

/** What a workflow and the operator say of the agents that a tenant calls. */
export interface KnownAgents {
  readonly tenantId: string;
  /** The `remote_agents` of the document. */
  readonly declared: Readonly<Record<string, RemoteAgent>>;
  /** The variables that the operator has given to the tenant. */
  readonly vars: Readonly<Record<string, string>>;
  /** Sent in place of the credential of the agent. */
  readonly accessToken?: { readonly token: string } | undefined;
}

/** What nodes of a workflow need that call agents. */
export interface AgentAccess extends Omit<KnownAgents, 'tenantId' | 'accessToken'> {
  readonly agents: RemoteAgents;
}

/** Where an agent is, with its credential. */
export interface AgentAddress {
  /** For errors: as the workflow names it. */
  readonly name: string;
  readonly url: string;
  readonly cardPath: string | undefined;
  readonly credential: CredentialHeaders;
}

/** An agent that can be called. */
export interface ReachedAgent {
  readonly address: AgentAddress;
  /** As the agent gives it; null = it has none. */
  readonly card: JsonObject | null;
}

/** Finds the agents that nodes name, and reads their cards. */
export class RemoteAgents {
  readonly outbound: Outbound;
  readonly directory: AgentDirectory;
  readonly #credentials: Credentials;
  /** Also that an agent has none. */
  readonly #cards = new RecentlyUsed<string, { readonly card: JsonObject | null }>(MAX_CARDS, { ttlMs: CARD_LIFE_MS });

  constructor({ outbound, directory, nowMs = Date.now }: RemoteAgentsOptions) {
    this.outbound = outbound;
    this.directory = directory;
    this.#credentials = new Credentials(outbound, nowMs);
  }

  /**
   * The address of an agent: an entry of `remote_agents`, a URL (with the credential of the entry that has it), or the id of a registered
   * agent. Rejects with `WorkError` `validation` if there is none of that name.
   */
  async locate(reference: string, known: KnownAgents, signal: AbortSignal): Promise<AgentAddress> {
    const declared = await this.#find(reference, known);
    requireHttps(declared.url, this.outbound);
    const { url, agent_card_path: cardPath, auth } = declared;
    const name = shortened(reference, MAX_NAME);
    const credential =
      known.accessToken === undefined
        ? await this.#credentials.of(`agent "${name}"`, auth, known.vars, signal)
        : bearer(known.accessToken.token);
    return { name, url, cardPath, credential };
  }

  async #find(reference: string, { tenantId, declared, vars }: KnownAgents): Promise<RemoteAgent> {
    const urlOf = ({ url }: RemoteAgent): string =>
      withVariables(url, vars, (name) => {
        const why = 'which JAMJET_WORKFLOW_ENV does not give to this tenant';
        throw invalid(`the URL of agent "${shortened(reference, MAX_NAME)}" needs the variable ${name}, ${why}`);
      });
    const at = (url: string): RemoteAgent =>
      Object.values(declared).find((entry) => entry.url === url || (entry.url.includes('${') && urlOf(entry) === url)) ?? { url };
    const named = Object.hasOwn(declared, reference) ? declared[reference] : undefined;
    if (named !== undefined) return { ...named, url: urlOf(named) };
    if (/^https?:\/\//i.test(reference)) return { ...at(reference), url: reference };
    const registered = await this.directory.find(tenantId, reference);
    if (registered === null)
      throw invalid(`there is no agent "${shortened(reference, MAX_NAME)}": declare its URL in remote_agents, or register it`);
    if (registered.status === 'deactivated' || registered.status === 'archived')
      throw invalid(`agent "${shortened(reference, MAX_NAME)}" is ${registered.status}`);
    return { ...at(registered.uri), url: registered.uri };
  }

  /** Reads the agent's card, or takes the one that was read lately. Rejects with `WorkError`, unless the agent has no card. */
  async reach(address: AgentAddress, signal: AbortSignal): Promise<ReachedAgent> {
    const { url, cardPath, credential } = address;
    const key = JSON.stringify([url, cardPath ?? '', credential.headers]);
    const known = this.#cards.get(key);
    if (known !== undefined) return { address, ...known };
    const card = await this.#readCard(address, AbortSignal.any([signal, AbortSignal.timeout(CARD_TIMEOUT_MS)]));
    this.#cards.set(key, { card });
    return { address, card };
  }

  async #readCard({ url, cardPath, credential }: AgentAddress, signal: AbortSignal): Promise<JsonObject | null> {
    const path = cardPath === undefined ? {} : { path: cardPath };
    try {
      return (await findCard(this.outbound, { url, ...path, ...credential, signal })).card;
    } catch (error) {
      if (error instanceof WorkError && error.errorClass === 'no_agent_card') return null;
      throw error;
    }
  }
}

/** Whether the agent takes JSON: as its skill says, else as the whole agent does. */
export function takesJson(card: JsonObject | null, skill: string): boolean {
  const skills = Array.isArray(card?.skills) ? (card.skills as readonly Json[]) : [];
  const named = skills.find((one) => isObject(one) && (one.id === skill || one.name === skill));
  const own = isObject(named) ? (named.inputModes ?? named.input_modes) : undefined;
  const modes = Array.isArray(own) && own.length > 0 ? own : (card?.defaultInputModes ?? card?.default_input_modes);
  if (!Array.isArray(modes) || modes.length === 0) return true;
  return modes.some((mode: Json) => typeof mode === 'string' && /\bjson\b|^\*\/\*$|^data$/i.test(mode));
}

export function streams(card: JsonObject | null): boolean {
  return isObject(card?.capabilities) && card.capabilities.streaming === true;
}
