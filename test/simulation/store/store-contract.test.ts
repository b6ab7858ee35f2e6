import { describe } from 'vitest';
import { approvalContract } from '../../store/contract/approvals.ts';
import { clusterContract } from '../../store/contract/cluster.ts';
import { commitContract } from '../../store/contract/commit.ts';
import { controlContract } from '../../store/contract/control.ts';
import { dueContract } from '../../store/contract/due.ts';
import { durabilityContract } from '../../store/contract/durability.ts';
import { erasureContract } from '../../store/contract/erasures.ts';
import { listContract } from '../../store/contract/lists.ts';
import { subjectTokenContract } from '../../store/contract/subject-tokens.ts';
import { workContract } from '../../store/contract/work.ts';
import { workerContract } from '../../store/contract/workers.ts';
import type { CoreStore, TestDatabase } from '../../support/stores.ts';
import { MemoryDatabase } from './memory-database.ts';
import { memoryStore, type Transport } from './memory-store.ts';

/** Requests reach the database immediately. */
function directTransport(): Transport {
  let closed = false;
  return {
    call: async (_name, _write, execute) => execute(),
    watch: () => () => {},
    messages: null,
    get closed() {
      return closed;
    },
    close: () => {
      closed = true;
    },
  };
}

function memory(shared: boolean): () => TestDatabase<CoreStore> {
  return () => {
    const database = new MemoryDatabase(shared);
    return { open: async () => memoryStore(database, directTransport()) };
  };
}

describe.each([
  ['exclusive', false],
  ['shared', true],
])('the simulated store, %s', (_, shared) => {
  const database = memory(shared);
  commitContract(database);
  approvalContract(database);
  dueContract(database);
  erasureContract(database);
  subjectTokenContract(database);
  workContract(database);
  workerContract(database, { exclusive: !shared });
  clusterContract(database);
  controlContract(database);
  listContract(database);
  durabilityContract(database);
});
