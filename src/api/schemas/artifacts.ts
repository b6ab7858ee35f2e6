import { type Static, Type } from 'typebox';

export const PutArtifactQuery = Type.Object({
  /** Absent = the request's `Content-Type`. */
  media_type: Type.Optional(Type.String({ maxLength: 255 })),
});
export type PutArtifactQuery = Static<typeof PutArtifactQuery>;

/** Bytes are stored once: the same again keep the media type they were first stored with. */
export const StoredArtifact = Type.Object({
  /** SHA-256 of the bytes: 64 lower-case hex digits. */
  hash: Type.String(),
  /** Bytes. */
  size: Type.Integer(),
  media_type: Type.Union([Type.String(), Type.Null()]),
});
export type StoredArtifact = Static<typeof StoredArtifact>;
