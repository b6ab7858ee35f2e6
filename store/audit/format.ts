import type { LogEntry } from '../log/entry.ts';
import type { StoredEvent } from '../log/stored-event.ts';
import type { EventRow, NewExecution } from '../port/executions.ts';

/**
 * The lines of an exported audit log: a header, each block followed by its streams of the tenant, the end. See `docs/audit.md`.
 *
 * A database with one chain has one header, a database in which every writer has a chain another: there, the blocks of all chains follow in the order
 * of their positions, the first block of a chain is preceded by the state of that chain, and the end by the heads of all chains.
 */

export const EXPORT_VERSION = 1;

export interface OneChainHeader {
  readonly jamjet_audit: typeof EXPORT_VERSION;
  readonly tenant_id: string;
  readonly chain_id: string;
  readonly from_block: number;
  /** Hash of the block before; the chain's id when there is none. */
  readonly previous: string;
  readonly exported_at: string;
}

export interface ManyChainsHeader {
  readonly jamjet_audit: typeof EXPORT_VERSION;
  readonly tenant_id: string;
  /** A position. */
  readonly from_block: number;
  readonly exported_at: string;
}

export type HeaderLine = OneChainHeader | ManyChainsHeader;

/** The state of a chain before its first block in this file. */
export interface ChainLine {
  /** The writer, or the database the chain was copied from. */
  readonly chain: string;
  readonly chain_id: string;
  readonly block: number;
  /** Hash of that block; the chain's id when there is none. */
  readonly hash: string;
}

/** The last block of every chain, also of those without a block in this file; by name. */
export interface HeadsLine {
  readonly heads: readonly (readonly [chain: string, block: number, hash: string])[];
}

/** A stream of the tenant; a later line has its rows. */
export interface OwnStream {
  /** Null = the control plane. */
  readonly execution_id: string | null;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly digest: string;
}

export interface BlockLine {
  readonly block: number;
  readonly at_ms: number;
  readonly writer: string;
  /** In order; for streams of other tenants the digest alone. */
  readonly streams: readonly (OwnStream | string)[];
  readonly hash: string;
  readonly signature: string | null;
  /** Position among the blocks of all chains; only where there are several. */
  readonly position?: number;
  /** The name of the chain, where it differs from the writer's. */
  readonly chain?: string;
}

export interface StreamLine {
  /** As in the block's line. */
  readonly execution_id: string | null;
  readonly first_seq: number;
  /** The execution's fixed fields, with its first rows only; otherwise null. */
  readonly created: CreatedPart | null;
  /**
   * The rows of the control plane. Null = retention removed the execution, as a later `executions_removed` on the control plane records. Absent for an
   * execution that has its entries.
   */
  readonly events?: readonly EventPart[] | null;
  readonly entries?: readonly EntryPart[];
}

export interface EntryPart {
  /** Of its last event. */
  readonly seq: number;
  /** How many events it has. */
  readonly events: number;
  readonly at_ms: number;
  readonly actor_id: string;
  readonly actor_type: EventRow['actorType'];
  /** As in `EventPart`. */
  readonly on_behalf_of?: string;
  readonly request: string | null;
  /** The events in the form of docs/audit.md, digested byte for byte. */
  readonly body: string;
}

export interface CreatedPart {
  readonly workflow_id: string;
  readonly workflow_version: string;
  readonly revision: string;
  /** JSON text. */
  readonly labels: string;
  readonly parent_id: string | null;
  readonly depth: number;
  readonly created_at_ms: number;
}

export interface EventPart {
  readonly type: string;
  readonly node_id: string | null;
  readonly at_ms: number;
  readonly actor_id: string;
  readonly actor_type: EventRow['actorType'];
  /** The name on whose behalf the actor said it acted; absent = on its own. */
  readonly on_behalf_of?: string;
  /** JSON text, as is `data`: both are digested byte for byte. */
  readonly request: string | null;
  readonly data: string;
}

export interface EndLine {
  readonly end: true;
  /** Number of the last block, or its position. */
  readonly to_block: number;
  /** Hash of the last block, or over the heads of all chains. */
  readonly head: string;
  /** The number of preceding lines, and their SHA-256, line ends included. */
  readonly lines: number;
  readonly sha256: string;
  /** HMAC-SHA256 of `sha256`; null when no key was set. */
  readonly signature: string | null;
}

export function createdPart(created: NewExecution): CreatedPart {
  return {
    workflow_id: created.workflowId,
    workflow_version: created.workflowVersion,
    revision: created.revision,
    labels: created.labels,
    parent_id: created.parentId,
    depth: created.depth,
    created_at_ms: created.createdAtMs,
  };
}

/** The fields that digests cover. */
export function createdOf(part: CreatedPart): NewExecution {
  return {
    workflowId: part.workflow_id,
    workflowVersion: part.workflow_version,
    revision: part.revision,
    labels: part.labels,
    parentId: part.parent_id,
    depth: part.depth,
    deadlineAtMs: null,
    createdAtMs: part.created_at_ms,
  };
}

export function eventPart({ type, nodeId, atMs, actorId, actorType, onBehalfOf, request, data }: StoredEvent): EventPart {
  const behalf = onBehalfOf === null ? {} : { on_behalf_of: onBehalfOf };
  return { type, node_id: nodeId, at_ms: atMs, actor_id: actorId, actor_type: actorType, ...behalf, request, data };
}

export function eventOf(part: EventPart, seq: number): StoredEvent {
  const { type, node_id: nodeId, at_ms: atMs, actor_id: actorId, actor_type: actorType, request, data } = part;
  return { seq, type, nodeId, atMs, actorId, actorType, onBehalfOf: part.on_behalf_of ?? null, request, data };
}

export function entryPart({ seq, events, atMs, actorId, actorType, onBehalfOf, request, body }: LogEntry): EntryPart {
  const behalf = onBehalfOf === null ? {} : { on_behalf_of: onBehalfOf };
  return { seq, events, at_ms: atMs, actor_id: actorId, actor_type: actorType, ...behalf, request, body };
}

export function entryOf(part: EntryPart): LogEntry {
  const { seq, events, at_ms: atMs, actor_id: actorId, actor_type: actorType, request, body } = part;
  return { seq, events, atMs, actorId, actorType, onBehalfOf: part.on_behalf_of ?? null, request, body };
}
