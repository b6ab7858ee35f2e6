// A process that writes to a database: `node store-child.mjs once|forever PATH NAME`. Prints a line for each action.
import { openSqlite } from '../../dist/store/sqlite/open.js';

const [, , mode, path, name] = process.argv;
const atMs = 1_767_225_600_000;
const store = await openSqlite({ path, writer: name, nowMs: () => atMs });

async function begin(id) {
  const event = {
    seq: 1,
    type: 'workflow_started',
    nodeId: null,
    data: {},
    atMs,
    actorId: name,
    actorType: 'system',
    onBehalfOf: null,
    request: null,
  };
  const create = {
    workflowId: 'w',
    workflowVersion: '1',
    revision: 'r',
    labels: '{}',
    parentId: null,
    depth: 0,
    deadlineAtMs: null,
    createdAtMs: atMs,
  };
  const progress = {
    status: 'running',
    seq: 1,
    steps: 0,
    error: null,
    localWork: 0,
    owner: null,
    updatedAtMs: atMs,
    completedAtMs: null,
  };
  const write = {
    id,
    tenantId: 'default',
    fromSeq: 0,
    create,
    progress,
    checkpoint: null,
    events: [event],
    timers: [],
    work: [],
    send: [],
    consumed: [],
    usage: null,
  };
  const [refusal] = await store.commit({ atMs, units: [{ executions: [write], idempotency: null }] });
  if (refusal !== null) throw new Error(refusal.reason);
  console.log(id);
}

if (mode === 'once') {
  await begin(`exec_${name}`);
  await store.close();
} else {
  await store.lock({ runtimeId: name, pid: process.pid, startedAtMs: atMs });
  console.log('locked');
  for (let n = 0; ; n += 1) {
    await begin(`exec_${n}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
