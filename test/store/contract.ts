import { describe } from 'vitest';
import type { Capabilities, TestDatabase } from '../support/stores.ts';
import { agentContract } from './contract/agents.ts';
import { approvalContract } from './contract/approvals.ts';
import { artifactContract } from './contract/artifacts.ts';
import { auditContract } from './contract/audit.ts';
import { auditLogContract } from './contract/audit-log.ts';
import { backlogContract } from './contract/backlog.ts';
import { clusterContract } from './contract/cluster.ts';
import { commitContract } from './contract/commit.ts';
import { controlContract } from './contract/control.ts';
import { cronContract } from './contract/cron.ts';
import { dueContract } from './contract/due.ts';
import { durabilityContract } from './contract/durability.ts';
import { erasureContract, erasureOfRowsContract } from './contract/erasures.ts';
import { executionIdContract } from './contract/execution-ids.ts';
import { jobContract } from './contract/jobs.ts';
import { listContract } from './contract/lists.ts';
import { logContract } from './contract/log.ts';
import { memoryContract } from './contract/memory.ts';
import { retentionContract } from './contract/retention.ts';
import { signInLinkContract } from './contract/sign-in-links.ts';
import { subjectTokenContract } from './contract/subject-tokens.ts';
import { tenantContract } from './contract/tenants.ts';
import { webhookContract } from './contract/webhooks.ts';
import { workContract } from './contract/work.ts';
import { workerContract } from './contract/workers.ts';

/** The behaviour of every engine, tested through the port alone. `database` makes an empty database for each test. */
export function storeContract(engine: string, database: () => TestDatabase, capabilities: Capabilities): void {
  describe(`${engine} store`, () => {
    commitContract(database);
    listContract(database);
    jobContract(database);
    dueContract(database);
    workContract(database);
    backlogContract(database);
    workerContract(database, capabilities);
    clusterContract(database);
    controlContract(database);
    executionIdContract(database);
    subjectTokenContract(database);
    signInLinkContract(database);
    tenantContract(database);
    agentContract(database);
    cronContract(database);
    approvalContract(database);
    artifactContract(database);
    memoryContract(database);
    auditContract(database);
    auditLogContract(database);
    erasureContract(database);
    erasureOfRowsContract(database);
    retentionContract(database);
    logContract(database);
    webhookContract(database);
    durabilityContract(database);
  });
}
