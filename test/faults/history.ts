/** `ok`: acknowledged · `refused`: the server refused it · `unknown`: it may have taken effect. */
export type Outcome = 'ok' | 'refused' | 'unknown';

/** One request of a client and its outcome. Times are those of this process's monotonic clock. */
export interface Operation {
  readonly actor: string;
  readonly action: string;
  /** The execution, work item or key of the request. */
  readonly subject: string;
  readonly server: string;
  readonly invokedMs: number;
  readonly returnedMs: number;
  readonly outcome: Outcome;
  readonly detail: string;
}

export interface FaultRecord {
  readonly kind: string;
  readonly detail: string;
  readonly beganMs: number;
  readonly endedMs: number;
}

export interface Violation {
  readonly invariant: string;
  readonly detail: string;
  /** Executions, work items and keys of the violation; their history is printed. */
  readonly subjects: readonly string[];
  readonly atMs: number;
}

/** Faults within this time around a violation are printed. */
const CONTEXT_MS = 3_000;
const MAX_LINES = 60;

/** All requests, faults and violations, in the order of their end. */
export class History {
  readonly operations: Operation[] = [];
  readonly faults: FaultRecord[] = [];
  readonly violations: Violation[] = [];
  readonly #startMs = performance.now();

  nowMs(): number {
    return performance.now() - this.#startMs;
  }

  addViolation(invariant: string, detail: string, subjects: readonly string[] = []): void {
    this.violations.push({ invariant, detail, subjects, atMs: this.nowMs() });
  }

  countFaults(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { kind } of this.faults) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return new Map([...counts].sort(([a], [b]) => a.localeCompare(b)));
  }

  countedOperations(): Map<string, Record<Outcome, number>> {
    const counts = new Map<string, Record<Outcome, number>>();
    for (const { action: what, outcome } of this.operations) {
      const count = counts.get(what) ?? { ok: 0, refused: 0, unknown: 0 };
      count[outcome] += 1;
      counts.set(what, count);
    }
    return new Map([...counts].sort(([a], [b]) => a.localeCompare(b)));
  }

  /** Describes a violation, with the requests for the same subjects and the faults at that time. */
  describe({ invariant, detail, subjects: about, atMs }: Violation): string {
    const names = new Set(about);
    const requests = this.operations.filter((operation) => names.has(operation.subject));
    const fromMs = Math.min(atMs, ...requests.map(({ invokedMs }) => invokedMs)) - CONTEXT_MS;
    const toMs = requests.length === 0 ? atMs : Math.max(...requests.map(({ returnedMs }) => returnedMs));
    const faults = this.faults.filter(({ beganMs, endedMs }) => endedMs >= fromMs && beganMs <= toMs + CONTEXT_MS);
    const lines = [
      ...requests.map(
        ({ actor, action: what, subject, server, invokedMs, returnedMs, outcome, detail: reply }) =>
          [invokedMs, `${seconds(returnedMs)}  ${actor} ${what} ${subject} at ${server}: ${outcome} ${reply}`] as const,
      ),
      ...faults.map(
        ({ kind, detail: what, beganMs, endedMs }) => [beganMs, `${seconds(endedMs)}  FAULT ${kind} ${what}`] as const,
      ),
    ]
      .sort(([a], [b]) => a - b)
      .map(([atMs, line]) => `    ${seconds(atMs)}–${line}`);
    const shown = lines.length > MAX_LINES ? [...lines.slice(0, MAX_LINES / 2), '    …', ...lines.slice(-MAX_LINES / 2)] : lines;
    return [`${invariant}: ${detail}`, ...shown].join('\n');
  }
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(2).padStart(7);
}
