import type { JsonObject } from '../../machines/json.ts';
import type { Random } from '../support/random.ts';
import { randomStream } from './environment/random-streams.ts';
import { type Crowd, crowdOf, generateWorkflows } from './generate-workflows.ts';
import type { Fault, Operation, Plan } from './plan.ts';

const MAX_NODES = 8;
/** Of finalizers, agents, and the node at which an execution continues beyond its budget. */
const FEATURE_TOOLS = ['t.z0', 't.z1', 't.g0', 't.g1', 't.over'];
const FAULTS_MS = 90_000;
const COMMIT = ['refused', 'crash before', 'crash after', 'lost', 'late', 'slow', 'dropped', 'dropped', 'contention'] as const;

/** Generates the plan of a seed, without the excluded operations, faults, workers, nodes and features of workflows (by id). */
export function generatePlan(seed: number, excluded: ReadonlySet<string> = new Set()): Plan {
  const random = randomStream(seed, 'plan');
  const shared = random.chance(0.6);
  const processCount = shared ? random.between(1, 3) : 1;
  const workflows = generateWorkflows(seed, excluded);
  // Whether other processes take over the work of a frozen one.
  const recovery = processCount > 1 && random.chance(0.4);
  const silence = processCount > 1 && !recovery && random.chance(0.25);
  const crowd = crowdOf(seed);
  const isSetBack = !recovery && crowd === null && randomStream(seed, 'set back').chance(0.08);
  const processes = Array.from({ length: processCount }, () => generateProcess(random, recovery || crowd === 'slots', silence));
  const isKept = ({ id }: { readonly id: string }): boolean => !excluded.has(id);
  const suspensions = generateSuspensions(randomStream(seed, 'suspensions'));
  const needsCalm = suspensions.length > 0 || crowd === 'children';
  const faultFree = random.chance(needsCalm ? 0.4 : 0.1);
  const workers = Array.from({ length: random.between(1, 2) }, (_, i) => `worker${i}`);
  return {
    seed,
    shared,
    silence,
    processes,
    workflows,
    operations: [
      ...generateOperations(random, Math.max(1, workflows.length), crowd),
      ...suspensions,
      ...generateInterruptions(randomStream(seed, 'interruptions'), crowd),
    ]
      .filter(isKept)
      .filter(refersToKept(excluded)),
    faults: faultFree
      ? []
      : (silence ? generateSilence : isSetBack ? generateSetBack : generateFaults)(
          randomStream(seed, 'faults'),
          processCount,
          recovery,
        ).filter(isKept),
    workers: workers.filter((id) => !excluded.has(id)),
    faultsEndAtMs: FAULTS_MS,
    latency: {
      usualMs: random.pick(crowd === 'slots' && !silence ? [20, 300] : [0, 2, 20]),
      slowMs: random.pick([100, 2_000, 15_000]),
      slow: silence || (faultFree && needsCalm) ? 0 : random.pick([0, 0.02, 0.1]),
    },
    options: {
      stepLimit: 40,
      concurrency: crowd === 'slots' ? 1 : random.pick([1, 2, 256]),
      cacheBytes: random.pick([400_000, 64 * 1024 * 1024]),
      artifactThresholdBytes: random.pick([24, 8_192]),
      checkpointLogBytes: random.pick([0, 200, 4_096]),
      maxSlotWaitMs: random.pick([8_000, 40_000, 1_800_000]),
      maxLive: crowd === 'children' || random.chance(0.25) ? random.between(crowd === 'children' ? 2 : 1, 4) : null,
      tenantPolicy: random.chance(0.1) ? generatePolicy(random) : null,
    },
  };
}

function generatePolicy(random: Random): JsonObject {
  return random.chance(0.5)
    ? { require_approval_for: [`t.n${random.between(0, 4)}`, 't.g*'] }
    : { blocked_tools: [`t.n${random.between(1, 6)}`, 't.z1'] };
}

function refersToKept(excluded: ReadonlySet<string>): (operation: Operation) => boolean {
  return (operation) => !('of' in operation) || !excluded.has(operation.of);
}

function generateProcess(random: Random, recovery: boolean, silence: boolean): Plan['processes'][number] {
  const skewMs = !silence && random.chance(0.3) ? random.between(-3_000, 3_000) : 0;
  const local = recovery ? 1 : random.pick([0, 0.5, 0.5, 1]);
  const tools = [...Array.from({ length: MAX_NODES }, (_, i) => `t.n${i}`), ...FEATURE_TOOLS].filter(() => random.chance(local));
  return { skewMs, tools };
}

function generateOperations(random: Random, workflows: number, crowd: Crowd): Operation[] {
  const operations: Operation[] = [];
  const starts = random.between(crowd === null ? 1 : 3, 4);
  for (let s = 0; s < starts; s += 1) {
    const of = `s${s}`;
    const startMs = random.between(0, 20_000);
    const keyed = random.chance(0.8);
    const workflow = crowd === null ? `w${random.between(0, workflows - 1)}` : 'w0';
    operations.push({ id: of, atMs: startMs, kind: 'start', workflow, keyed });
    if (keyed && random.chance(0.3))
      operations.push({ id: `${of}.again`, atMs: startMs + random.between(0, 5_000), kind: 'start again', of });
    if (random.chance(0.3)) {
      const key = `key${random.between(0, 1)}`;
      operations.push({ id: `${of}.early`, atMs: startMs, kind: 'event', of, key, keyed: false, twice: false });
    }
    const more = random.between(1, 9);
    for (let i = 0; i < more; i += 1) {
      const atMs = startMs + random.between(0, random.pick([200, 3_000, 60_000]));
      operations.push(generateOperation(random, `${of}.${i}`, atMs, of));
    }
  }
  return operations;
}

/** Pauses and resumes an execution again and again, so that attempts are abandoned and wanted again while their starts are committed. */
function generateInterruptions(random: Random, crowd: Crowd): Operation[] {
  if (crowd !== 'slots') return [];
  let atMs = random.between(0, 22_000);
  return Array.from({ length: random.between(6, 20) }, (_, i) => {
    atMs += random.between(0, 500);
    const at = { id: `interrupt${i}`, atMs, of: 's0' };
    return i % 2 === 0 ? { ...at, kind: 'pause' } : { ...at, kind: 'resume', more: false };
  });
}

function generateSuspensions(random: Random): Operation[] {
  if (!random.chance(0.1)) return [];
  const count = random.between(1, 2);
  return Array.from({ length: count }, (_, i) => {
    const atMs = random.between(0, random.pick([2_000, 20_000]));
    return { id: `suspend${i}`, atMs, kind: 'suspend', forMs: random.pick([1_000, 20_000, 60_000]) };
  });
}

function generateOperation(random: Random, id: string, atMs: number, of: string): Operation {
  const at = { id, atMs, of } as const;
  const roll = random.fraction();
  const key = `key${random.between(0, 1)}`;
  const decision = random.chance(0.7) ? 'approved' : 'rejected';
  if (roll < 0.3) return { ...at, kind: 'event', key, keyed: random.chance(0.7), twice: random.chance(0.3) };
  if (roll < 0.5) return { ...at, kind: 'approve', decision, named: random.chance(0.6) };
  if (roll < 0.55) return { ...at, kind: 'cancel' };
  if (roll < 0.6) return { ...at, kind: 'pause' };
  if (roll < 0.65) return { ...at, kind: 'resume', more: random.chance(0.5) };
  if (roll < 0.73) return { ...at, kind: 'retry', patient: random.chance(0.7) };
  if (roll < 0.78) return { ...at, kind: 'enqueue', node: `n${random.between(0, 4)}` };
  if (roll < 0.82) return { ...at, kind: 'fork', at: random.between(0, 10) / 10, ...generateFork(random) };
  if (roll < 0.86) return { ...at, kind: 'inspect', at: random.between(1, 10) / 10 };
  if (roll < 0.89) return { ...at, kind: 'watch', forMs: random.pick([2_000, 15_000]) };
  return { ...at, kind: roll < 0.95 ? 'read' : 'follow' };
}

function generateFork(random: Random) {
  return {
    patched: random.chance(0.5),
    keepsDecisions: random.chance(0.7),
    another: random.chance(0.2),
    keyed: random.chance(0.7),
  };
}

function generateFaults(random: Random, processCount: number, recovery: boolean): Fault[] {
  const count = random.between(0, recovery ? 3 : 8);
  const frozen = recovery ? [generateWorkFreeze(random, processCount)] : [];
  const others = Array.from({ length: count }, (_, i) => generateFault(random, `f${i}`, processCount));
  return [...frozen, ...others];
}

/** Processes that do not answer for a while. */
function generateSilence(random: Random, processCount: number): Fault[] {
  return Array.from({ length: random.between(1, 5) }, (_, i): Fault => {
    const at = { id: `f${i}`, process: random.between(0, processCount - 1), atMs: random.between(0, 75_000) };
    if (random.chance(0.2)) return { ...at, kind: 'crash', downMs: random.pick([2_000, 20_000]) };
    return { ...at, kind: 'freeze', forMs: random.pick([6_000, 12_000, 25_000]) };
  });
}

/** Set back, with faults beside it that end before others can notice. */
function generateSetBack(random: Random, processCount: number): Fault[] {
  const process = random.between(0, processCount - 1);
  const lostMs = random.pick([20, 500, 5_000, 20_000]);
  const atMs = lostMs + random.between(500, random.pick([5_000, 50_000]));
  const fault: Fault = { id: 'back', kind: 'set back', process, atMs, lostMs, downMs: random.pick([10, 2_000, 20_000]) };
  const others = Array.from({ length: random.between(0, 2) }, (_, i) => generateFault(random, `f${i}`, processCount));
  return [fault, ...others.filter(({ kind }) => ['commit', 'crash', 'outage'].includes(kind))];
}

function generateFault(random: Random, id: string, processCount: number): Fault {
  const process = random.between(0, processCount - 1);
  const atMs = random.between(0, random.pick([3_000, 30_000, 75_000]));
  const downMs = random.pick([10, 2_000, 20_000, 45_000]);
  const forMs = random.pick([500, 15_000, 45_000]);
  const roll = random.fraction();
  if (roll < 0.4)
    return { id, kind: 'commit', process, nth: random.between(1, random.pick([6, 25])), how: random.pick(COMMIT), downMs };
  if (roll < 0.5) return { id, kind: 'crash', process, atMs, downMs };
  if (roll < 0.57) return { id, kind: 'stop', process, atMs, downMs, graceMs: random.pick([0, 1_000, 10_000]) };
  if (roll < 0.68) return { id, kind: 'freeze', process, atMs, forMs };
  if (roll < 0.74) return { id, kind: 'outage', process, atMs, forMs };
  if (roll < 0.81)
    return { id, kind: 'clock jump', process, atMs, byMs: (random.chance(0.5) ? 1 : -1) * random.pick([1_500, 12_000, 40_000]) };
  if (roll < 0.87) return { id, kind: 'slow reads', process, atMs, forMs, upToMs: random.pick([300, 4_000, 20_000]) };
  if (roll < 0.89) return { id, kind: 'damage', process, atMs, downMs, ...generateDamage(random) };
  if (roll < 0.94 && processCount > 1) {
    const other = (process + random.between(1, processCount - 1)) % processCount;
    return { id, kind: 'partition', process, other, atMs, forMs, gap: random.chance(0.5) };
  }
  return {
    id,
    kind: 'notifications',
    process,
    atMs,
    forMs,
    how: random.pick(['lost', 'lost', 'twice', 'late', 'again'] as const),
  };
}

function generateDamage(random: Random) {
  return { what: random.pick(['event', 'snapshot'] as const), which: random.fraction(), part: random.fraction() };
}

/** Freezes a process for longer than its lease. */
function generateWorkFreeze(random: Random, processCount: number): Fault {
  const process = random.between(0, processCount - 1);
  return { id: 'fw', kind: 'freeze at work', process, nth: random.between(1, 3), forMs: random.pick([45_000, 60_000]) };
}
