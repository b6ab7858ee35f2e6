import { type Static, Type } from 'typebox';
import { listOf, text } from './fields.ts';

export const DidService = Type.Object(
  {
    id: text('The id of the document, `#` and the UUID of the agent.'),
    type: Type.Literal('A2AService', { description: 'Always `A2AService`.' }),
    serviceEndpoint: text('URL of the agent.'),
    name: text('Name of the agent.'),
  },
  { description: 'An agent of a DID document.' },
);

export const DidDocument = Type.Object(
  {
    '@context': listOf(Type.String(), 'JSON-LD contexts.'),
    id: text('`did:web` identifier of this server.'),
    service: listOf(DidService, 'Active agents of tenant `default`.'),
  },
  { description: 'A W3C DID document of the method `did:web`.' },
);
export type DidDocument = Static<typeof DidDocument>;
