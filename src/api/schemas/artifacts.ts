import { type Static, Type } from 'typebox';
import { integer, nullable, text } from './fields.ts';

export const PutArtifactQuery = Type.Object({
  media_type: Type.Optional(text('Media type of the bytes. Default: the `Content-Type` of the request.', { maxLength: 255 })),
});
/** What is said of an artifact that is stored. */
export type PutArtifactQuery = Static<typeof PutArtifactQuery>;

export const ArtifactByHash = Type.Object({ hash: text('SHA-256 of the bytes, as 64 hex digits.') });

export const StoredArtifact = Type.Object(
  {
    hash: text('SHA-256 of the bytes: 64 lower-case hex digits.'),
    size: integer('Size in bytes.'),
    media_type: nullable(Type.String(), 'Media type with which the bytes were first stored; null if none was given.'),
  },
  { description: 'A stored artifact. The same bytes are stored once and keep their first media type.' },
);
export type StoredArtifact = Static<typeof StoredArtifact>;
