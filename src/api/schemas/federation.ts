import { type Static, Type } from 'typebox';

const DidService = Type.Object({
  /** The document's id, `#` and the agent's uuid. */
  id: Type.String(),
  type: Type.Literal('A2AService'),
  serviceEndpoint: Type.String(),
  name: Type.String(),
});

/** A W3C DID document of the method `did:web`. */
export const DidDocument = Type.Object({
  '@context': Type.Array(Type.String()),
  id: Type.String(),
  service: Type.Array(DidService),
});
export type DidDocument = Static<typeof DidDocument>;
