import type { JamjetClient } from '../../client/index.ts';

/** Where a browser opens the console. */
export interface ConsoleLink {
  /** Signs in, once, unless authentication is off. */
  readonly url: string;
  /** RFC 3339; null = no sign-in is needed. */
  readonly expires_at: string | null;
}

/** Makes a link that signs in with the token of the client, under the address at which the client reaches the server. */
export async function consoleLink(client: JamjetClient, expiresIn?: string): Promise<ConsoleLink> {
  const { code, expires_at } = await client.signIn.createLink(expiresIn === undefined ? {} : { expires_in: expiresIn });
  return { url: code === null ? `${client.url}/` : `${client.url}/#/sign-in/${code}`, expires_at };
}
