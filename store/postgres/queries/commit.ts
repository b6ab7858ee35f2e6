import { sql } from '../connections.ts';

/**
 * A commit runs these statements in one transaction. Parameters are JSON lists, one entry per row to write. Each statement compares what it found with
 * what the caller expects; `jamjet_expect` raises an error, which rolls everything back, when that differs. The order in which the parts of one
 * statement are executed does not matter.
 */

/**
 * A column equals a value, written so that the planner can only look it up: with a plain equality of columns it may scan the whole index, which looks
 * cheaper while there are few rows, and keep that plan when there are many.
 */
const lookup = (column: string, value: string): string => `${column} = ANY(ARRAY[${value}])`;

/** Revisions that have no number yet. Comes before executions, like `INSERT_ACTORS`. Parameter: hashes. */
export const INSERT_REVISIONS = sql(`INSERT INTO log_revisions (hash)
  SELECT hash FROM json_array_elements_text($1) AS given (hash)
  WHERE NOT EXISTS (SELECT 1 FROM log_revisions r WHERE r.hash = given.hash) ORDER BY hash
  ON CONFLICT DO NOTHING`);

export const INSERT_EXECUTIONS = sql(`
WITH created AS (
  INSERT INTO executions (id, tenant_id, workflow_id, workflow_version, revision, labels, parent_id, depth, deadline_at_ms, created_at_ms,
    status, seq, steps, error, local_work, owner, updated_at_ms, completed_at_ms)
  SELECT id, tenant_id, workflow_id, workflow_version, (SELECT r.number FROM log_revisions r WHERE r.hash = h.revision), labels, parent_id, depth,
    CASE WHEN completed_at_ms IS NULL THEN deadline_at_ms END, created_at_ms, status, seq, steps, error, local_work, owner,
    updated_at_ms, completed_at_ms
  FROM json_to_recordset($1) AS h (
    id text, tenant_id text, workflow_id text, workflow_version text, revision text, labels text, parent_id text, depth integer,
    deadline_at_ms bigint, created_at_ms bigint, status text, seq integer, steps integer, error text, local_work integer, owner text,
    updated_at_ms bigint, completed_at_ms bigint)
  ON CONFLICT (id) DO NOTHING RETURNING 1
)
SELECT jamjet_expect((SELECT count(*) FROM created), json_array_length($1), 'sequence')`);

export const INSERT_LABELS = sql(`INSERT INTO execution_labels (tenant_id, key, execution_id, value)
  SELECT tenant_id, key, execution_id, value
  FROM json_to_recordset($1) AS l (tenant_id text, key text, execution_id text, value text)
  ON CONFLICT (tenant_id, key, execution_id) DO NOTHING`);

/** The tenant is compared so that no index applies: without statistics, the planner might choose any index with both columns. */
export const UPDATE_EXECUTIONS = sql(`
WITH moved AS (
  UPDATE executions e SET status = h.status, seq = h.seq, steps = h.steps, error = h.error, local_work = h.local_work, owner = h.owner,
    updated_at_ms = h.updated_at_ms, completed_at_ms = h.completed_at_ms,
    deadline_at_ms = CASE WHEN h.completed_at_ms IS NOT NULL THEN NULL WHEN h.sets_deadline THEN h.deadline_at_ms ELSE e.deadline_at_ms END
  FROM json_to_recordset($1) AS h (
    id text, tenant_id text, from_seq integer, sets_deadline boolean, deadline_at_ms bigint, status text, seq integer, steps integer, error text,
    local_work integer, owner text, updated_at_ms bigint, completed_at_ms bigint)
  WHERE ${lookup('e.id', 'h.id')} AND e.tenant_id IS NOT DISTINCT FROM h.tenant_id AND e.seq = h.from_seq RETURNING 1
)
SELECT jamjet_expect((SELECT count(*) FROM moved), json_array_length($1), 'sequence')`);

export const WRITE_CHECKPOINTS = sql(`
WITH written AS (
  SELECT * FROM json_to_recordset($1) AS w (execution_id text, seq integer, tenant_id text, replaces_from integer, digest text, snapshot text)
), replaced AS (
  DELETE FROM checkpoints c USING written w WHERE ${lookup('c.execution_id', 'w.execution_id')} AND c.seq >= w.replaces_from
)
INSERT INTO checkpoints (execution_id, seq, tenant_id, digest, snapshot)
  SELECT execution_id, seq, tenant_id, digest, snapshot FROM written WHERE snapshot IS NOT NULL`);

/**
 * Actors that are not known yet. Comes before the locks of executions in every transaction, and always in the same order, so that commits which add
 * the same actors cannot deadlock.
 */
export const INSERT_ACTORS = sql(`INSERT INTO log_actors (number, tenant_id, key, id, type, on_behalf_of)
  SELECT CASE WHEN type = 'agent' THEN -1 ELSE 1 END * nextval('log_actor_numbers'), tenant_id, key, id, type, on_behalf_of FROM (
    SELECT tenant_id, key, id, type, on_behalf_of
    FROM json_to_recordset($1) AS a (tenant_id text, key text, id text, type text, on_behalf_of text)
    WHERE (SELECT k.number FROM log_actors k WHERE k.tenant_id = a.tenant_id AND k.key = a.key) IS NULL
    ORDER BY tenant_id, key) AS missing
  ON CONFLICT DO NOTHING`);

/** The numbers of the actors in the second parameter, in order. Looked up one by one: a join might scan a table that looked small when it was planned. */
export const ACTOR_NUMBERS = `
    SELECT array_agg((SELECT k.number FROM log_actors k WHERE k.tenant_id = a.tenant_id AND k.key = a.key) ORDER BY place) AS numbers
    FROM json_to_recordset($2) AS a (place integer, tenant_id text, key text)`;

/**
 * Parameters: entries, actors. Each entry names its actor by the place in that list. Entries take their positions in the order of the list, which is
 * that of the commit.
 */
export const APPEND_ENTRIES = sql(`WITH actors AS MATERIALIZED (${ACTOR_NUMBERS})
  INSERT INTO log_entries (position, log_id, at_ms, seq, actor, events, tenant_id, types, request, body)
  SELECT nextval('log_positions'), (SELECT x.log_id FROM executions x WHERE x.id = v.execution_id), at_ms, seq,
    (SELECT numbers[v.actor] FROM actors), events, tenant_id, types, request, body
  FROM json_to_recordset($1) AS v (execution_id text, tenant_id text, at_ms bigint, seq integer, actor integer, events smallint,
    types text, request text, body text)`);

/** Always locks in the same order, so that commits cannot deadlock. */
export const LOCK_EXECUTIONS = sql('SELECT 1 FROM executions WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE');

/** The item is not settled; written so that the planner does not scan the index of open items. */
const IS_OPEN = 'coalesce(w.settled_at_ms, -1) = -1';

/** Timers, work items, messages, idempotency keys. */
export const EFFECTS = sql(`
WITH fired AS (
  DELETE FROM timers t USING json_to_recordset($1) AS f (execution_id text, id text, armed_seq integer)
  WHERE ${lookup('t.execution_id', 'f.execution_id')} AND t.id = f.id AND t.armed_seq = f.armed_seq RETURNING 1
), rearmed AS (
  UPDATE timers t SET node_id = r.node_id, at_ms = r.at_ms, armed_seq = r.armed_seq
  FROM json_to_recordset($2) AS r (execution_id text, id text, node_id text, at_ms bigint, armed_seq integer, was integer)
  WHERE ${lookup('t.execution_id', 'r.execution_id')} AND t.id = r.id AND t.armed_seq = r.was RETURNING 1
), cleared AS (
  DELETE FROM timers t USING json_to_recordset($3) AS c (execution_id text, id text)
  WHERE ${lookup('t.execution_id', 'c.execution_id')} AND t.id = c.id
), armed AS (
  INSERT INTO timers (execution_id, id, tenant_id, node_id, at_ms, armed_seq)
  SELECT execution_id, id, tenant_id, node_id, at_ms, armed_seq
  FROM json_to_recordset($4) AS s (execution_id text, id text, tenant_id text, node_id text, at_ms bigint, armed_seq integer)
  ON CONFLICT (execution_id, id) DO UPDATE SET node_id = excluded.node_id, at_ms = excluded.at_ms, armed_seq = excluded.armed_seq
), settlement AS (
  SELECT * FROM json_to_recordset($5) AS s (id text, execution_id text, fence integer, status text)
), settled AS (
  UPDATE work_items w SET status = s.status, settled_at_ms = $6, payload = '{}' FROM settlement s
  WHERE ${lookup('w.id', 's.id')} AND w.execution_id IS NOT DISTINCT FROM s.execution_id AND ${IS_OPEN}
    AND (s.fence IS NULL OR (w.status = 'claimed' AND w.fence = s.fence)) RETURNING 1
), held AS (
  SELECT 1 FROM json_to_recordset($12) AS h (id text, execution_id text, fence integer) CROSS JOIN LATERAL (
    SELECT execution_id, status, fence FROM work_items i WHERE ${lookup('i.id', 'h.id')} OFFSET 0) w
  WHERE w.execution_id IS NOT DISTINCT FROM h.execution_id AND w.status = 'claimed' AND w.fence = h.fence
), cancelled AS (
  UPDATE work_items w SET status = 'cancelled', settled_at_ms = $6, payload = '{}'
  FROM json_to_recordset($7) AS c (execution_id text, node_id text, activation integer, item integer) CROSS JOIN LATERAL (
    SELECT id FROM work_items i WHERE i.execution_id = c.execution_id AND i.node_id = c.node_id AND i.activation = c.activation
      AND i.item IS NOT DISTINCT FROM c.item AND i.settled_at_ms IS NULL OFFSET 0) open
  WHERE ${lookup('w.id', 'open.id')} AND ${IS_OPEN} AND NOT EXISTS (SELECT 1 FROM settlement s WHERE s.id = open.id)
), put AS (
  INSERT INTO work_items (id, tenant_id, execution_id, node_id, activation, attempt, item, max_attempts, queue, tool, timeout_ms, created_at_ms,
    status, settled_at_ms, payload)
  SELECT id, tenant_id, execution_id, node_id, activation, attempt, item, max_attempts, queue, tool, timeout_ms, created_at_ms, status,
    CASE WHEN status = 'pending' THEN NULL ELSE $6 END, payload
  FROM json_to_recordset($8) AS p (place integer, id text, tenant_id text, execution_id text, node_id text, activation integer,
    attempt integer, item integer, max_attempts integer, queue text, tool text, timeout_ms bigint, created_at_ms bigint, status text, payload text)
  ORDER BY place
), sent AS (
  INSERT INTO inbox (tenant_id, to_execution_id, message)
  SELECT tenant_id, to_execution_id, message
  FROM json_to_recordset($9) AS m (place integer, tenant_id text, to_execution_id text, message text) ORDER BY place
), consumed AS (
  DELETE FROM inbox WHERE id = ANY($10::bigint[]) RETURNING 1
), remembered AS (
  INSERT INTO idempotency (tenant_id, scope, key, request_hash, response, created_at_ms, execution_id)
  SELECT tenant_id, scope, key, request_hash, response, created_at_ms, execution_id
  FROM json_to_recordset($11) AS r (tenant_id text, scope text, key text, request_hash text, response text, created_at_ms bigint,
    execution_id text)
  ON CONFLICT (tenant_id, scope, key) DO NOTHING RETURNING 1
)
SELECT jamjet_expect((SELECT count(*) FROM remembered), json_array_length($11), 'idempotency'),
  jamjet_expect((SELECT count(*) FROM fired) + (SELECT count(*) FROM rearmed), json_array_length($1) + json_array_length($2), 'timer'),
  jamjet_expect((SELECT count(*) FROM settled) + (SELECT count(*) FROM held), (SELECT count(*) FROM settlement) + json_array_length($12), 'work'),
  jamjet_expect((SELECT count(*) FROM consumed), cardinality($10::bigint[]), 'inbox')`);

/** Where a number is no longer exact, both sums stop: an absurd report must not make every later commit fail. */
const MOST = Number.MAX_SAFE_INTEGER;
/** Each connection adds to one of a few rows. */
export const ADD_TENANT_USAGE = sql(`INSERT INTO tenant_usage (tenant_id, month, slot, tokens, cost_usd)
  SELECT tenant_id, month, pg_backend_pid() % 16, least(sum(tokens), ${MOST}), least(sum(cost_usd), ${MOST})
  FROM json_to_recordset($1) AS u (tenant_id text, month text, tokens bigint, cost_usd double precision)
  GROUP BY tenant_id, month ORDER BY tenant_id, month
  ON CONFLICT (tenant_id, month, slot) DO UPDATE
    SET tokens = least(tenant_usage.tokens + excluded.tokens, ${MOST}),
      cost_usd = least(tenant_usage.cost_usd + excluded.cost_usd, ${MOST})`);

/**
 * An artifact that events refer to. If it is stored already, its row is locked, so that no other transaction deletes it before this commit: the
 * update changes nothing, and does not rewrite the content.
 */
export const OFFLOAD_ARTIFACT = sql(`WITH put AS (
    INSERT INTO artifacts (tenant_id, hash, media_type, size, pinned, created_at_ms, content)
    VALUES ($1, $2, $3, $4, false, $5, $6) ON CONFLICT (tenant_id, hash) DO UPDATE SET pinned = artifacts.pinned
  )
  INSERT INTO artifact_refs (execution_id, hash, tenant_id) VALUES ($7, $2, $1) ON CONFLICT DO NOTHING`);

/** Approvals that were asked for; one that was entered before gets its decision, or begins to wait anew. */
export const PUT_APPROVALS =
  sql(`INSERT INTO approvals (execution_id, seq, tenant_id, workflow_id, node_id, activation, item, requested_at_ms,
    expires_at_ms, decided_at_ms, decided_seq)
  SELECT execution_id, seq, tenant_id, workflow_id, node_id, activation, item, requested_at_ms, expires_at_ms, decided_at_ms, decided_seq
  FROM json_to_recordset($1) AS a (execution_id text, seq integer, tenant_id text, workflow_id text, node_id text, activation integer, item integer,
    requested_at_ms bigint, expires_at_ms bigint, decided_at_ms bigint, decided_seq integer)
  ON CONFLICT (execution_id, seq) DO UPDATE SET requested_at_ms = excluded.requested_at_ms, expires_at_ms = excluded.expires_at_ms,
    decided_at_ms = excluded.decided_at_ms, decided_seq = excluded.decided_seq`);
/** Approvals that nothing waits for any more. */
export const REMOVE_APPROVALS = sql(`DELETE FROM approvals a USING json_to_recordset($1) AS w (execution_id text, seq integer)
  WHERE ${lookup('a.execution_id', 'w.execution_id')} AND a.seq = w.seq`);

/** Originals of redacted events. */
export const INSERT_ORIGINALS = sql(`INSERT INTO original_events (execution_id, seq, tenant_id, salt, data)
  SELECT execution_id, seq, tenant_id, salt, data
  FROM json_to_recordset($1) AS o (execution_id text, seq integer, tenant_id text, salt text, data text)`);
/** Executions with a data policy that end with the commit. */
export const INSERT_ERASURES = sql(`INSERT INTO erasures (execution_id, tenant_id, ended_at_ms, remove_at_ms)
  SELECT execution_id, tenant_id, ended_at_ms, remove_at_ms
  FROM json_to_recordset($1) AS e (execution_id text, tenant_id text, ended_at_ms bigint, remove_at_ms bigint)`);

const KEY_COLUMNS = 'tenant_id, workflow_id, key, execution_id';
const KEY_ROW = 'tenant_id text, workflow_id text, key text, execution_id text';
/** Row `k` of `execution_keys` has the key of `w`. */
const SAME_KEY = ['tenant_id', 'workflow_id', 'key'].map((column) => lookup(`k.${column}`, `w.${column}`)).join(' AND ');

/** Keys that no execution has. */
export const RESERVE_KEYS = sql(`INSERT INTO execution_keys (${KEY_COLUMNS})
  SELECT ${KEY_COLUMNS} FROM json_to_recordset($1) AS w (${KEY_ROW}) ON CONFLICT (tenant_id, workflow_id, key) DO NOTHING`);
export const TAKE_KEYS = sql(`WITH taken AS (${RESERVE_KEYS.text} RETURNING 1)
SELECT jamjet_expect((SELECT count(*) FROM taken), json_array_length($1), 'key')`);
/** Keys that one of `holders` has. */
export const PASS_KEYS = sql(`WITH passed AS (
  UPDATE execution_keys k SET execution_id = w.execution_id FROM json_to_recordset($1) AS w (${KEY_ROW}, holders text[])
  WHERE ${SAME_KEY} AND k.execution_id = ANY(w.holders) RETURNING 1
)
SELECT jamjet_expect((SELECT count(*) FROM passed), json_array_length($1), 'key')`);
/** Frees keys within the transaction that has reserved them. Parameters: rows, the holder that stands for the reservation. */
export const RETURN_KEYS = sql(`UPDATE execution_keys k SET execution_id = $2 FROM json_to_recordset($1) AS w (${KEY_ROW})
  WHERE ${SAME_KEY} AND k.execution_id = w.execution_id`);
export const FREE_KEYS = sql(`DELETE FROM execution_keys k USING json_to_recordset($1) AS w (${KEY_ROW})
  WHERE ${SAME_KEY} AND k.execution_id = w.execution_id`);

/** Threads that are not there yet. Returns the numbers of those that it has created. */
export const CREATE_THREADS = sql(`WITH created AS (
    INSERT INTO threads (tenant_id, id, messages, bytes, last, summarised, created_at_ms, updated_at_ms)
    SELECT tenant_id, id, 0, 0, 0, 0, at_ms, at_ms FROM json_to_recordset($1) AS w (tenant_id text, id text, at_ms bigint)
    ON CONFLICT (tenant_id, id) DO NOTHING RETURNING number
  )
  SELECT coalesce(array_agg(number), '{}') AS numbers FROM created`);
export const LOCK_THREADS = sql(`SELECT 1 FROM json_to_recordset($1) AS w (tenant_id text, id text) CROSS JOIN LATERAL (
    SELECT 1 FROM threads t WHERE t.tenant_id = w.tenant_id AND ${lookup('t.id', 'w.id')} FOR NO KEY UPDATE) AS locked`);
export const DELETE_EMPTY_THREADS = sql('DELETE FROM threads WHERE number = ANY($1::bigint[]) AND last = 0');
/** Locks the threads in the order of the rows. */
export const APPEND_TURNS = sql(`
WITH grown AS (
  UPDATE threads t SET messages = t.messages + json_array_length(w.said), bytes = t.bytes + w.bytes,
    last = t.last + json_array_length(w.said), updated_at_ms = w.at_ms
  FROM json_to_recordset($1) AS w (tenant_id text, id text, number bigint, last integer, at_ms bigint, bytes bigint, said json)
  WHERE t.tenant_id = w.tenant_id AND ${lookup('t.id', 'w.id')} AND t.last = w.last AND t.number = coalesce(w.number, t.number)
  RETURNING t.number, w.tenant_id, w.at_ms, w.said
), appended AS (
  INSERT INTO thread_messages (thread, sequence, tenant_id, bytes, execution_id, node_id, activation, created_at_ms, message)
  SELECT g.number, m.sequence, g.tenant_id, m.bytes, m.execution_id, m.node_id, m.activation, g.at_ms, m.message
  FROM grown g CROSS JOIN LATERAL json_to_recordset(g.said)
    AS m (sequence integer, bytes integer, execution_id text, node_id text, activation integer, message text)
)
SELECT jamjet_expect((SELECT count(*) FROM grown), json_array_length($1), 'thread')`);

/** Refuses a write. Parameter: why. */
export const REFUSE = sql('SELECT jamjet_expect(0, 1, $1)');

/** Closes the audit block, counts the commit, and sends the notifications that cannot wait. */
export const SEAL = sql(`
WITH sealed AS (
  INSERT INTO audit_blocks (writer, block, at_ms, streams, hash, signature)
  SELECT writer, block, at_ms, decode(streams, 'base64'), hash, signature
  FROM json_to_recordset($1) AS b (writer text, block bigint, at_ms bigint, streams text, hash text, signature text)
), chained AS (
  UPDATE audit_chains SET commits = commits + 1, block = $4, hash = $5
  WHERE writer = $2 AND commits = $3 AND fence = $7 RETURNING 1
)
SELECT jamjet_expect((SELECT count(*) FROM chained), 1, 'chain'),
  (SELECT count(pg_notify('jamjet', notice)) FROM json_array_elements_text($6) AS notice)`);

/** Notifies other processes. */
export const NOTIFY = sql("SELECT count(pg_notify('jamjet', notice)) FROM json_array_elements_text($1) AS notice");

/**
 * Sends messages, each with its channel. Only one transaction at a time may notify: this one does not wait for the disk meanwhile, since
 * it leaves nothing there.
 */
export const SEND_MESSAGES = sql(`SELECT set_config('synchronous_commit', 'off', true), count(pg_notify(message->>0, message->>1))
  FROM json_array_elements($1) AS message`);

export const CHAIN = sql('SELECT id, commits, fence, block, hash FROM audit_chains WHERE writer = $1');
export const NEW_CHAIN = sql('INSERT INTO audit_chains (writer) VALUES ($1) ON CONFLICT (writer) DO NOTHING');
/** Waits for a commit of the same writer that is in progress, and rejects later ones. */
export const FENCE_CHAIN = sql(`UPDATE audit_chains SET fence = fence + 1 WHERE writer = $1
  RETURNING id, commits, fence, block, hash`);
export const SEALED = sql('SELECT 1 FROM audit_blocks WHERE writer = $1 AND block = $2 AND hash = $3');
