import type { StoredEvent } from '../../../store/log/stored-event.ts';
import type { TokenRow } from '../../../store/port/control.ts';
import type { ExecutionRow, IdempotencyRow } from '../../../store/port/executions.ts';
import type { ApprovalRow } from '../../../store/port/resources/approvals.ts';
import type { Artifact } from '../../../store/port/resources/artifacts.ts';
import type { OriginalEvent, PendingErasure } from '../../../store/port/resources/erasures.ts';
import type { SubjectTokenRow } from '../../../store/port/resources/subject-tokens.ts';
import type { TenantRow } from '../../../store/port/resources/tenants.ts';
import type { NewWorkItem, WorkItemRow } from '../../../store/port/work-items.ts';
import type { RuntimeHolder } from '../../../store/port/workers.ts';

export interface StoredExecution {
  readonly row: ExecutionRow;
  /** In order of sequence. */
  readonly checkpoints: readonly { readonly text: string; readonly seq: number }[];
  readonly events: readonly StoredEvent[];
}

export interface StoredTimer {
  readonly tenantId: string;
  readonly executionId: string;
  readonly id: string;
  readonly nodeId: string;
  readonly atMs: number;
  readonly armedSeq: number;
}

export interface StoredItem extends NewWorkItem {
  readonly tenantId: string;
  readonly executionId: string;
  /** Increases over all items; defines their order. */
  readonly position: number;
  readonly status: WorkItemRow['status'];
  readonly workerId: string | null;
  readonly fence: number;
  readonly leaseExpiresAtMs: number | null;
  readonly deadlineAtMs: number | null;
  readonly claimedAtMs: number | null;
}

export interface StoredMessage {
  readonly id: number;
  readonly tenantId: string;
  readonly toExecutionId: string;
  readonly message: string;
}

export interface StoredWorkflow {
  readonly tenantId: string;
  readonly workflowId: string;
  readonly version: string;
  readonly revision: string;
  readonly registration: number;
  readonly registeredAtMs: number;
  readonly registeredBy: string;
}

export interface StoredRevision extends StoredWorkflow {
  readonly firstRegisteredAtMs: number;
  readonly firstRegisteredBy: string;
}

export interface StoredWorker {
  readonly tenantId: string;
  readonly kind: 'external' | 'runtime';
  readonly id: string;
  readonly queues: readonly string[];
  readonly tools: readonly string[] | null;
  readonly firstSeenAtMs: number;
  readonly lastSeenAtMs: number;
  readonly claimedTotal: number;
  readonly stoppedAtMs: number | null;
}

/** The durable state of a simulated database. Rows are replaced, never changed. */
export class Tables {
  readonly executions = new Map<string, StoredExecution>();
  readonly timers = new Map<string, StoredTimer>();
  readonly items = new Map<string, StoredItem>();
  readonly inbox = new Map<number, StoredMessage>();
  /** By execution and sequence. */
  readonly approvals = new Map<string, ApprovalRow>();
  readonly idempotency = new Map<string, IdempotencyRow>();
  readonly revisions = new Map<string, string>();
  readonly workflows = new Map<string, StoredWorkflow>();
  /** By tenant, workflow, version and revision. */
  readonly workflowRevisions = new Map<string, StoredRevision>();
  readonly tokens = new Map<string, TokenRow>();
  readonly workers = new Map<string, StoredWorker>();
  readonly leases = new Map<string, { readonly holder: string; readonly expiresAtMs: number }>();
  readonly artifacts = new Map<string, Artifact>();
  /** By execution and sequence. */
  readonly originals = new Map<string, OriginalEvent & { readonly executionId: string }>();
  /** By execution: the sequence of an event that cannot be read. */
  readonly damaged = new Map<string, number>();
  /** For checks alone: originals that were erased. */
  readonly erasedOriginals = new Map<string, OriginalEvent & { readonly executionId: string }>();
  readonly erasures = new Map<string, PendingErasure & { readonly erasedAtMs: number | null }>();
  readonly subjectTokens = new Map<string, SubjectTokenRow>();
  readonly usage = new Map<string, { readonly tokens: number; readonly costUsd: number }>();
  readonly tenants = new Map<string, TenantRow>([['default', { id: 'default', name: 'Default', status: 'active' }]]);
  /** Limits of every tenant, as JSON; null = none. */
  limits: string | null = null;
  /** Policy of every tenant, as JSON; null = none. */
  policy: string | null = null;
  /** The connection that holds the runtime lock; only on an exclusive database. */
  holder: { readonly connection: object; readonly holder: RuntimeHolder } | null = null;
  /** Number of transactions that appended to a log; an engine with an audit chain adds a block for each. */
  blocks = 0;
  lastPosition = 0;
  lastMessage = 0;
  lastRegistration = 0;

  /** Remembers all rows but those of tenants; returns a function that restores them, as a backup does. */
  backUp(): () => void {
    const { tenants: _tenants, damaged: _damaged, ...others } = this;
    const maps = Object.values(others).filter((each) => each instanceof Map) as Map<unknown, unknown>[];
    const copies = maps.map((map) => new Map(map));
    const { blocks, lastPosition, lastMessage, lastRegistration } = this;
    return () => {
      for (const [i, map] of maps.entries()) {
        map.clear();
        for (const [name, row] of copies[i] ?? []) map.set(name, row);
      }
      Object.assign(this, { blocks, lastPosition, lastMessage, lastRegistration });
    };
  }
}

/** Joins the parts of a key. */
export function key(...parts: readonly (string | number)[]): string {
  return parts.join('\n');
}
