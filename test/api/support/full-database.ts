import Database from 'better-sqlite3';
import { TRIES_ALL } from '../../support/properties.ts';

/** `npm test` fills a quarter, which is still many slices of each list. */
const SHARE = TRIES_ALL ? 1 : 1 / 4;

/** What a tenant may have after years: as many as it may have at most, where there is a limit. */
const ROWS = {
  executions: 50_000 * SHARE,
  approvals: 250_000 * SHARE,
  workflows: 10_000 * SHARE,
  versions: 1_000,
  agents: 10_000 * SHARE,
  workers: 3_000 * SHARE,
  work: 30_000 * SHARE,
  jobs: 10_000 * SHARE,
  crons: 1_000 * SHARE,
  deliveries: 20_000 * SHARE,
  actions: 100_000 * SHARE,
  largeEntries: 100,
  tokens: 10_000 * SHARE,
  artifacts: 10_000 * SHARE,
  // Of the namespace `large`, which may have 100,000: requests add some.
  memory: 98_000 * SHARE,
  threads: 50_000 * SHARE,
  threadMessages: 95_000 * SHARE,
};

const numbers = (count: number): string =>
  `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count})`;
const ID = "'exec_' || printf('%032x', n)";

/**
 * Multiplies the rows of tenant `default` beside a server: executions of the workflow `review` with labels and open approvals, workflows of 100 kB,
 * agents, workers, work items, jobs, deliveries; and the largest entry of the log. Statistics are not made, as in a server.
 */
export function fillDatabase(path: string): void {
  const db = new Database(path);
  db.pragma('synchronous = OFF');
  db.exec(`
    ${numbers(ROWS.executions)} INSERT INTO executions (id, tenant_id, workflow_id, workflow_version, revision, labels, parent_id, depth,
        created_at_ms, status, seq, steps, error, local_work, updated_at_ms)
      SELECT ${ID}, 'default', 'review', iif(n % 1000 = 0, '2', '1'), (SELECT max(number) FROM log_revisions), '{"env":"prod"}',
        iif(n % 3 = 0, ${ID.replace('n)', '1)')}, NULL), 0, n,
        iif(n % 2 = 0, 'failed', 'running'), 1, 1, iif(n % 2 = 0, 'node a: failed after ' || n || ' ms', NULL), 0, n FROM numbers;
    ${numbers(ROWS.largeEntries)} INSERT INTO log_entries
      SELECT (SELECT max(position) FROM log_entries) + n * events, (SELECT max(log_id) FROM executions) - n, seq, events, tenant, n, actor, request, body
      FROM numbers, (SELECT * FROM log_entries ORDER BY octet_length(body) DESC LIMIT 1);
    ${numbers(ROWS.executions)} INSERT INTO execution_labels SELECT 'default', 'env', ${ID}, iif(n % 10000 = 0, 'test', 'prod') FROM numbers;
    ${numbers(ROWS.approvals)} INSERT INTO approvals (execution_id, seq, tenant_id, workflow_id, node_id, activation, requested_at_ms, expires_at_ms, decided_at_ms, decided_seq)
      SELECT ${ID.replace('n)', `1 + n % ${ROWS.executions})`)}, 1 + n / ${ROWS.executions}, 'default', 'review', 'review', 1, n, NULL,
      iif(n % 2 = 0, n, NULL), iif(n % 2 = 0, 2, NULL) FROM numbers;
    ${numbers(ROWS.workflows)} INSERT INTO revisions (tenant_id, hash, source, created_at_ms)
      SELECT 'default', 'r' || n, '{"workflow_id":"w","version":"1","nodes":{"a":{"kind":{"type":"tool","tool_ref":"t"}}},"edges":[{"from":"a","to":"end"}],"description":"' || hex(zeroblob(iif(n < 500, 50000, 100))) || '"}', 0 FROM numbers;
    ${numbers(ROWS.workflows)} INSERT INTO workflows (tenant_id, workflow_id, version, revision, registration, registered_at_ms)
      SELECT 'default', 'w' || n, '1', 'r' || n, 10 + n, 0 FROM numbers;
    ${numbers(ROWS.versions)} INSERT INTO workflows (tenant_id, workflow_id, version, revision, registration, registered_at_ms)
      SELECT 'default', 'versions', 'v' || n, 'r' || n, 100000 + n, 0 FROM numbers;
    ${numbers(ROWS.versions)} INSERT INTO workflow_revisions SELECT 'default', 'versions', 'v' || n, 'r' || n, 0, 'a', 100000 + n, 0, 'a' FROM numbers;
    ${numbers(ROWS.agents)} INSERT INTO agents (tenant_id, id, uuid, name, status, status_since_at_ms, version, registration, registered_at_ms, updated_at_ms, card)
      SELECT 'default', 'agent-' || n, 'u' || n, 'agent', 'active', 0, 1, n + 1000, 0, 0,
        '{"id":"agent","uri":"https://agent.example","description":"' || hex(zeroblob(iif(n > ${ROWS.agents} - 500, 20000, 10))) || '"}' FROM numbers;
    ${numbers(ROWS.agents)} INSERT INTO agent_traits SELECT 'default', 'agent-' || n, 'skill:common' FROM numbers;
    ${numbers(ROWS.workers)} INSERT INTO workers (tenant_id, kind, id, queues, first_seen_at_ms, last_seen_at_ms, claimed_total)
      SELECT 'default', 'external', 'worker-' || n, '["python_tool"]', 0, 9000000000000, 1 FROM numbers;
    ${numbers(ROWS.work)} INSERT INTO work_items (id, tenant_id, execution_id, node_id, activation, attempt, max_attempts, queue, tool, created_at_ms, status, payload)
      SELECT 'item-' || n, 'default', ${ID.replace('n)', '1)')}, 'a', 1, 1, 1, 'queue-' || (n % 6), 'tool', n, 'pending', '{}' FROM numbers;
    ${numbers(ROWS.work)} INSERT INTO work_items (id, tenant_id, execution_id, node_id, activation, attempt, max_attempts, queue, tool, created_at_ms, status, worker_id, payload)
      SELECT 'claimed-' || n, 'default', ${ID.replace('n)', '1)')}, 'a', 1, 1, 1, 'claimed', '', n, 'claimed', 'worker-' || (n % 3), '{}' FROM numbers;
    ${numbers(ROWS.jobs)} INSERT INTO jobs (id, tenant_id, action, filter, actor_id, actor_type, created_at_ms, updated_at_ms, completed_at_ms, status, succeeded, skipped, failed, errors)
      SELECT 'job_' || printf('%032x', n), 'default', 'cancel', '{}', 'a', 'human', 0, 0, 0, 'completed', 0, 0, 0, '[]' FROM numbers;
    ${numbers(ROWS.crons)} INSERT INTO cron_jobs SELECT 'cron' || n, 'default', 'cron' || n, '0 0 1 1 *', 'UTC', 'review', NULL, 'skip', 'allow', 0, NULL, NULL, NULL, NULL, 0,
      '{"a":"' || hex(zeroblob(20000)) || '"}' FROM numbers;
    ${numbers(ROWS.deliveries)} INSERT INTO webhook_deliveries (webhook_id, id, tenant_id, execution_id, seq, type, status, attempts, last_error, created_at_ms, settled_at_ms)
      SELECT (SELECT min(id) FROM webhooks), 'd' || printf('%09d', n), 'default', ${ID}, 1, 'workflow_completed', 'failed', 1, 'error', 0, 9000000000000 FROM numbers;
    ${numbers(ROWS.actions)} INSERT INTO control_events SELECT 'default', 1000000 + n, 'token_created', n, 'a', 'human', NULL, '{}' FROM numbers;
    ${numbers(ROWS.tokens)} INSERT INTO tokens (id, tenant_id, name, role, hash, created_at_ms) SELECT 't' || n, 'default', 't' || n, 'viewer', 'h' || n, n FROM numbers;
    ${numbers(ROWS.artifacts)} INSERT INTO artifacts SELECT 'default', printf('%064x', n), NULL, 1, 0, n, x'00' FROM numbers;
    ${numbers(ROWS.artifacts)} INSERT INTO artifact_refs SELECT ${ID.replace('n)', '1)')}, printf('%064x', n), 'default' FROM numbers;
    ${numbers(ROWS.memory)} INSERT INTO memory_items (tenant_id, namespace, id, created_at_ms, updated_at_ms, bytes, words, metadata, text, terms)
      SELECT 'default', 1, 'item-' || n, n, n, 6, 3, '{"a":1}', 'x y z', '1_' || (n % 10) || ' 1_' || char(97 + n % 26) || ' 1_common' FROM numbers;
    ${numbers(ROWS.threads)} INSERT INTO threads (tenant_id, id, messages, bytes, last, summarised, created_at_ms, updated_at_ms)
      SELECT 'default', 'thread-' || n, 0, 0, 0, 0, n, n FROM numbers;
    ${numbers(ROWS.threadMessages)} INSERT INTO thread_messages (thread, sequence, tenant_id, bytes, created_at_ms, message)
      SELECT (SELECT number FROM threads WHERE id = 'large'), 1 + n, 'default', 4100, n, '{"role":"user","content":"' || hex(zeroblob(iif(n < 1000 OR n > ${ROWS.threadMessages} - 1000, 2000, 10))) || '"}' FROM numbers;
    UPDATE threads SET messages = messages + ${ROWS.threadMessages}, last = last + ${ROWS.threadMessages} WHERE id = 'large';
    UPDATE memory_namespaces SET items = items + ${ROWS.memory}, bytes = bytes + 6 * ${ROWS.memory}, words = words + 3 * ${ROWS.memory} WHERE number = 1;
  `);
  db.close();
}
