import type { ExecutionKey } from '../../port/resources/keys.ts';
import { jsonText } from '../json-text.ts';
import { FREE_KEYS, PASS_KEYS, RETURN_KEYS, TAKE_KEYS } from '../queries/commit.ts';
import type { BoundStatement } from './commit-functions.ts';
import { compare } from './compare.ts';
import type { EncodedWrite } from './encoded-write.ts';

/** A key of a tenant, and an execution that has it, or is to have it. */
interface KeyRow {
  readonly tenant_id: string;
  readonly workflow_id: string;
  readonly key: string;
  readonly execution_id: string;
}

interface PassedKeyRow extends KeyRow {
  readonly holders: readonly string[];
}

/** The net change of a key. */
interface KeyChange extends Omit<KeyRow, 'execution_id'> {
  /** The executions that may have it before. */
  readonly holders: string[];
  /** The last execution that takes it; null = none does. */
  taker: string | null;
  isFreed: boolean;
}

/** Holds what a transaction has reserved, as no execution has this id. */
const RESERVED = '';

/**
 * The statements that write the keys of executions; null = one of them takes a key that another one has by then. `isReserved`: the transaction has
 * reserved the keys.
 */
export function keyStatements(writes: readonly EncodedWrite[], isReserved = false): readonly BoundStatement[] | null {
  const changes = netChanges(writes);
  if (changes === null) return null;
  const taken: KeyRow[] = [];
  const passed: PassedKeyRow[] = [];
  const freed: KeyRow[] = [];
  for (const { tenant_id, workflow_id, key, holders, taker, isFreed } of changes) {
    if (taker === null) for (const execution_id of holders) freed.push({ tenant_id, workflow_id, key, execution_id });
    else {
      const from = isReserved ? [...holders, RESERVED] : holders;
      const row = { tenant_id, workflow_id, key, execution_id: taker };
      if (from.length === 0) taken.push(row);
      else passed.push({ tenant_id, workflow_id, key, execution_id: taker, holders: from });
      if (isFreed) freed.push(row);
    }
  }
  return [
    ...(taken.length === 0 ? [] : [{ statement: TAKE_KEYS, values: [jsonText(taken)] }]),
    ...(passed.length === 0 ? [] : [{ statement: PASS_KEYS, values: [jsonText(passed)] }]),
    ...(freed.length === 0 ? [] : [isReserved ? returned(freed) : { statement: FREE_KEYS, values: [jsonText(freed)] }]),
  ];
}

function returned(freed: readonly KeyRow[]): BoundStatement {
  return { statement: RETURN_KEYS, values: [jsonText(freed), RESERVED] };
}

/** Rows of `RESERVE_KEYS`, and of the `FREE_KEYS` that ends the reservation. */
export function reservations(writes: readonly EncodedWrite[]): readonly KeyRow[] {
  const rows = new Map<string, KeyRow>();
  for (const { tenantId, keys = [] } of writes)
    for (const write of keys) {
      const { workflowId: workflow_id, key } = write;
      rows.set(nameOf(tenantId, write), { tenant_id: tenantId, workflow_id, key, execution_id: RESERVED });
    }
  return [...rows.values()].sort(inOrder);
}

/** Every commit takes keys in the same order, so that no two wait for each other. Null = an execution takes a key that another one has by then. */
function netChanges(writes: readonly EncodedWrite[]): readonly KeyChange[] | null {
  const changes = new Map<string, KeyChange>();
  for (const { id, tenantId, keys } of writes) {
    if (keys === undefined) continue;
    for (const write of keys) {
      const { workflowId: workflow_id, key } = write;
      const name = nameOf(tenantId, write);
      const change = changes.get(name) ?? { tenant_id: tenantId, workflow_id, key, holders: [], taker: null, isFreed: false };
      changes.set(name, change);
      const { taker, holders } = change;
      if (write.op === 'free') {
        if (taker === null) holders.push(id);
        else if (taker === id) change.isFreed = true;
        continue;
      }
      const from = write.op === 'inherit' ? write.from : null;
      if (taker === null) {
        if (from !== null) holders.push(from);
      } else if (!change.isFreed && taker !== from) return null;
      change.taker = id;
      change.isFreed = false;
    }
  }
  return [...changes.values()].sort(inOrder);
}

function nameOf(tenantId: string, { workflowId, key }: ExecutionKey): string {
  return JSON.stringify([tenantId, workflowId, key]);
}

function inOrder(a: Omit<KeyRow, 'execution_id'>, b: Omit<KeyRow, 'execution_id'>): number {
  return compare(a.tenant_id, b.tenant_id) || compare(a.workflow_id, b.workflow_id) || compare(a.key, b.key);
}
