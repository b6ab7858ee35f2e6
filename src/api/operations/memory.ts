import { type Static, Type } from 'typebox';
import type { JsonObject } from '../../../machines/json.ts';
import {
  anyObject,
  count,
  flag,
  integer,
  limit,
  listOf,
  nullable,
  number,
  optional,
  type PageSizes,
  text,
  timestamp,
} from '../schemas/fields.ts';
import type { Resource } from './operation.ts';

export const MEMORY_PAGE: PageSizes = { defaultLimit: 100, maxLimit: 1_000 };
export const MEMORY_RESULTS: PageSizes = { defaultLimit: 5, maxLimit: 100 };

const namespace = text('A name of 1 to 128 characters, without `/`.');

const ByNamespace = Type.Object({ namespace });
const ItemById = Type.Object({ namespace, id: text('Id of the item.') });

const NewMemoryItem = Type.Object(
  {
    id: optional(
      Type.String({ minLength: 1, maxLength: 256 }),
      'Id within the namespace; an item of the same id is replaced. Default: derived from the text and its metadata.',
    ),
    text: text('The text, at most 64 KiB.', { minLength: 1 }),
    metadata: optional(Type.Unsafe<JsonObject>({ type: 'object' }), 'Any values, at most 8 KiB. Default `{}`.'),
    ttl_secs: optional(Type.Number({ exclusiveMinimum: 0 }), 'Seconds until the item is deleted. Default: it is kept.'),
  },
  { description: 'A text to be remembered.' },
);

export const AddToMemory = Type.Object(
  {
    items: Type.Array(NewMemoryItem, {
      minItems: 1,
      maxItems: 1_000,
      description:
        'They are stored in order. When a request fails, the first of them may be stored; sent again, nothing is stored twice.',
    }),
  },
  { description: 'Texts to be remembered.' },
);
export type AddToMemory = Static<typeof AddToMemory>;

export const AddedToMemory = Type.Object(
  {
    namespace: text('The namespace.'),
    ids: listOf(Type.String(), 'Ids of the items, in the order of the request.'),
    added: count('Number of items that are new.'),
    replaced: count('Number of items that replaced another.'),
  },
  { description: 'Texts were stored.' },
);
export type AddedToMemory = Static<typeof AddedToMemory>;

export const SearchMemoryQuery = Type.Object({
  query: Type.Optional(
    text('Text to search for: items with any of its words are found, rare words count most. Without it, items are listed.', {
      maxLength: 16 * 1024,
    }),
  ),
  limit: Type.Optional(
    integer(
      `Maximum number of items: of a search ${MEMORY_RESULTS.defaultLimit} if absent and ${MEMORY_RESULTS.maxLimit} at most, of a list ${MEMORY_PAGE.defaultLimit} and ${MEMORY_PAGE.maxLimit}.`,
      { minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
    ),
  ),
  filter: Type.Optional(
    text('JSON object: values that the metadata must have (texts, numbers, booleans or null). Only with `query`.', {
      maxLength: 8 * 1024,
    }),
  ),
  cursor: Type.Optional(text('`next_cursor` of the previous page. Only without `query`.', { pattern: '^\\d{1,15}$' })),
});
/** Which items a search finds. */
export type SearchMemoryQuery = Static<typeof SearchMemoryQuery>;

const FoundMemoryItem = Type.Object(
  {
    id: text('Id of the item.'),
    text: text('The text.'),
    score: nullable(Type.Number(), 'How much the text has to do with the query: larger is better. Null in a list.'),
    metadata: anyObject('Metadata of the item.'),
    created_at: Type.Optional(timestamp('When the item was first stored. Only in a list.')),
    updated_at: Type.Optional(timestamp('When the item was last stored. Only in a list.')),
    expires_at: Type.Optional(nullable(timestamp('A time.'), 'When the item is deleted; null = it is kept. Only in a list.')),
  },
  { description: 'A remembered text.' },
);
/** An item that a search has found. */
export type FoundMemoryItem = Static<typeof FoundMemoryItem>;

export const FoundInMemory = Type.Object(
  {
    namespace: text('The namespace.'),
    results: listOf(FoundMemoryItem, 'The best first; without a query, the newest first. Empty for an unknown namespace.'),
    truncated: flag(
      'True if more items have words of the query than the search has looked at: it looks at 10,000 items at most, those with the rarest words, and at the first 50 words.',
    ),
    next_cursor: nullable(
      Type.String(),
      'Cursor of the next page; null if this is the last one, and for a search. A page ends early when its texts have 4 MiB.',
    ),
  },
  { description: 'Texts of a namespace.' },
);
export type FoundInMemory = Static<typeof FoundInMemory>;

export const MemoryItem = Type.Object(
  {
    namespace: text('The namespace.'),
    id: text('Id of the item.'),
    text: text('The text.'),
    metadata: anyObject('Metadata of the item.'),
    created_at: timestamp('When the item was first stored.'),
    updated_at: timestamp('When the item was last stored.'),
    expires_at: nullable(timestamp('A time.'), 'When the item is deleted; null = it is kept.'),
  },
  { description: 'A remembered text.' },
);
export type MemoryItem = Static<typeof MemoryItem>;

export const MemoryNamespacesQuery = Type.Object({
  limit: limit(MEMORY_PAGE),
  after: Type.Optional(text('Name of the last namespace of the previous page.', { maxLength: 128 })),
});

export const MemoryNamespaces = Type.Object(
  {
    namespaces: listOf(
      Type.Object(
        {
          name: text('Name of the namespace.'),
          items: count('Number of items.'),
          bytes: number('Size of all texts and metadata.'),
          created_at: timestamp('When the first item was stored.'),
        },
        { description: 'A namespace with items.' },
      ),
      'By name.',
    ),
  },
  { description: 'Namespaces of the tenant.' },
);
export type MemoryNamespaces = Static<typeof MemoryNamespaces>;

export const RemovedFromMemory = Type.Object(
  { namespace: text('The namespace.'), deleted: count('Number of items that were deleted.') },
  { description: 'Items were deleted.' },
);
export type RemovedFromMemory = Static<typeof RemovedFromMemory>;

export const MEMORY = {
  tag: 'Memory',
  operations: {
    'GET /memory': {
      id: 'listMemoryNamespaces',
      access: 'read',
      summary: 'List the namespaces of the memory by name',
      query: MemoryNamespacesQuery,
      reply: MemoryNamespaces,
    },
    'POST /memory/:namespace': {
      id: 'addToMemory',
      access: 'write',
      summary: 'Add texts to a namespace of the memory',
      description: 'The namespace is created if needed. Workflows find the texts with `memory_retrieval` nodes.',
      params: ByNamespace,
      body: AddToMemory,
      status: 201,
      reply: AddedToMemory,
    },
    'GET /memory/:namespace': {
      id: 'searchMemory',
      access: 'read',
      summary: 'Search a namespace of the memory, or list its items',
      params: ByNamespace,
      query: SearchMemoryQuery,
      reply: FoundInMemory,
    },
    'GET /memory/:namespace/:id': {
      id: 'getMemoryItem',
      access: 'read',
      summary: 'Get an item of the memory',
      params: ItemById,
      reply: MemoryItem,
    },
    'DELETE /memory/:namespace': {
      id: 'deleteMemoryNamespace',
      access: 'write',
      summary: 'Delete a namespace of the memory with all its items',
      params: ByNamespace,
      reply: RemovedFromMemory,
    },
    'DELETE /memory/:namespace/:id': {
      id: 'deleteMemoryItem',
      access: 'write',
      summary: 'Delete an item of the memory',
      params: ItemById,
      reply: RemovedFromMemory,
    },
  },
} satisfies Resource;
