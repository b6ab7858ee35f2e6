import type { DidDocument } from '../schemas/federation.ts';

/** Characters that must be percent-encoded in an identifier; existing escapes are kept. */
const ESCAPED = /%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9.\-_%]/gu;

/**
 * `https://host:8443/a/b` → `did:web:host%3A8443:a:b`.
 *
 * @see https://w3c-ccg.github.io/did-method-web/ and https://www.w3.org/TR/did-core/#did-syntax
 */
export function didOf(publicUrl: string): string {
  const { host, pathname } = new URL(publicUrl);
  const folders = pathname.split('/').filter((folder) => folder !== '');
  return `did:web:${[host, ...folders].map((part) => part.replace(ESCAPED, percentEncoded)).join(':')}`;
}

/** The DID document of this server, with a service for each agent. Ids of services are absolute, because not every resolver accepts relative ones. */
export function didDocument(publicUrl: string, agents: readonly { readonly uuid: string; readonly name: string }[]): DidDocument {
  const id = didOf(publicUrl);
  return {
    '@context': ['https://www.w3.org/ns/did/v1'],
    id,
    service: agents.map(({ uuid, name }) => ({
      id: `${id}#${uuid}`,
      type: 'A2AService',
      serviceEndpoint: `${publicUrl}/agents/${uuid}`,
      name,
    })),
  };
}

function percentEncoded(character: string): string {
  return [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
