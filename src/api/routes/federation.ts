import { didDocument } from '../discovery/did.ts';
import { publicUrl } from '../discovery/public-url.ts';
import { DidDocument } from '../schemas/federation.ts';
import type { Api, Services } from '../services.ts';

/** The document is public, so it lists only the agents of this tenant. */
const PUBLIC_TENANT = 'default';
const MAX_SERVICES = 1_000;

const tags = ['Federation'];

export function federationRoutes(app: Api, { control: { agents }, config }: Services): void {
  // `did:web` resolves a host to `/.well-known/did.json`, and a path of a host to `did.json` below that path.
  for (const [url, operationId] of [
    ['/.well-known/did.json', 'getDidDocument'],
    ['/did.json', 'getDidDocumentOfPath'],
  ] as const) {
    app.get(
      url,
      {
        config: { access: 'open', checksFields: false },
        schema: {
          summary: 'Get the DID document of this server',
          description: 'Contains a service for each active agent of tenant `default`.',
          tags,
          operationId,
          response: { 200: DidDocument },
        },
      },
      async () => {
        const active = [];
        const page = { limit: MAX_SERVICES, offset: 0 };
        for await (const { uuid, card } of agents.list(PUBLIC_TENANT, { status: 'active' }, page))
          active.push({ uuid, name: card.name });
        return didDocument(publicUrl(app, config), active);
      },
    );
  }
}
