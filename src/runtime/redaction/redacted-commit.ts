import type { EventType, LogEvent } from '../../../machines/events/index.ts';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { charsUpTo } from '../../../machines/json-size.ts';
import { isDropped } from '../../../machines/redaction/cold-results.ts';
import { redactedData } from '../../../machines/redaction/redacted-event.ts';
import type { Redactor } from '../../../machines/redaction/redactor.ts';
import type { DataRules } from '../../../machines/redaction/rules.ts';
import { type Run, TERMINAL } from '../../../machines/run.ts';
import { stateOf } from '../../../machines/step/index.ts';
import type { EventRow } from '../../../store/port/executions.ts';
import type { Artifact } from '../../../store/port/resources/artifacts.ts';
import type { OriginalEvent, RedactionWrite } from '../../../store/port/resources/erasures.ts';
import type { ThreadTurn } from '../../../store/port/resources/threads.ts';
import { offload, offloadedBytes } from '../log/offloaded-payloads.ts';
import { DIGEST_KEY, digestOfOriginal } from './original-events.ts';

const DAY_MS = 86_400_000;
/** Fields of events that hold a state. */
const STATES: Readonly<Partial<Record<string, string>>> = {
  workflow_completed: 'final_state',
  interrupt_raised: 'state_for_review',
};

export interface RedactionInput {
  readonly rules: DataRules;
  /** Before the commit; null = it starts the execution. */
  readonly before: Run | null;
  readonly run: Run;
  readonly events: readonly EventRow[];
  readonly threads: readonly ThreadTurn[];
  readonly error: string | null;
  readonly diagnostics: readonly string[];
  readonly nowMs: number;
  readonly artifactThresholdBytes: number;
  /** Random text. */
  readonly salt: () => string;
}

/** A commit of an execution with a data policy, as it may be stored. */
export interface RedactedCommit {
  readonly events: readonly EventRow[];
  readonly offloaded: readonly Artifact[];
  readonly threads: readonly ThreadTurn[];
  readonly error: string | null;
  readonly diagnostics: readonly string[];
  readonly write: RedactionWrite;
}

/** Redacts what a commit writes into the log, where every reader may see it; the originals go beside it until the execution has ended. */
export function redactCommit(input: RedactionInput): RedactedCommit {
  const { rules, before, run, error, diagnostics, nowMs, artifactThresholdBytes, salt } = input;
  const roots: Json[] = [stateOf(run), run.input, ...(before === null ? [] : [stateOf(before)])];
  // What the events bring is in the state only if a node has put it there.
  for (const { data } of input.events) roots.push(...Object.values(data));
  const redactors = new Map<string | null, Redactor>();
  const redactorAt = (node: string | null): Redactor => {
    let redactor = redactors.get(node);
    if (redactor === undefined) {
      redactor = rules.stored(roots, node);
      redactors.set(node, redactor);
    }
    return redactor;
  };

  const requests = new Map<string, string>();
  const requestOf = (given: string | null): string | null => {
    if (given === null) return null;
    const request = requests.get(given) ?? redactRequest(redactorAt(null), given);
    requests.set(given, request);
    return request;
  };

  const originals: OriginalEvent[] = [];
  const offloaded: Artifact[] = [];
  const events = input.events.map((row) => {
    // A copied history has what its origin has offloaded: there was nothing to redact in it.
    if (offloadedBytes(row.type, row.data) > 0) return row;
    const redacted = redactRow(rules, redactorAt(row.nodeId), row, run.input);
    const request = requestOf(row.request);
    // It lacks what has to be redacted in slices, and is made again.
    if (isDropped()) return row;
    let data = row.data;
    if (redacted !== row.data) {
      const original = { seq: row.seq, salt: salt(), data: JSON.stringify(row.data) };
      originals.push(original);
      data = { ...redacted, [DIGEST_KEY]: digestOfOriginal(original) };
    }
    const chars = charsUpTo(data, Number.POSITIVE_INFINITY);
    const stored = offload({ ...eventOf(row), data }, chars, artifactThresholdBytes, nowMs);
    if (stored !== null) offloaded.push(stored.artifact);
    const isSame = data === row.data && stored === null && request === row.request;
    return isSame ? row : { ...row, data: stored?.data ?? data, request };
  });

  const whole = redactorAt(null);
  const days = rules.retentionDays;
  const removeAtMs = days === null ? null : nowMs + days * DAY_MS;
  return {
    events,
    offloaded,
    threads: input.threads.map((turn) => redactTurn(redactorAt(turn.nodeId), turn)),
    error: error === null ? null : whole.text(error),
    diagnostics: diagnostics.map((problem) => whole.text(problem)),
    write: { originals, ended: TERMINAL.has(run.status) ? { atMs: nowMs, removeAtMs } : null },
  };
}

/** What is said has been asked for without personal data, and is answered; an answer may have some all the same. */
function redactTurn(redactor: Redactor, turn: ThreadTurn): ThreadTurn {
  return Object.assign({}, turn, {
    messages: turn.messages.map((message) => JSON.stringify(redactor.json(JSON.parse(message) as Json))),
  });
}

/** The path of a request has names that its caller gives, such as that of an update. */
function redactRequest(redactor: Redactor, request: string): string {
  const context = JSON.parse(request) as JsonObject;
  const { path } = context;
  if (typeof path !== 'string') return request;
  const shown = path.split('/').map((segment) => {
    const text = decoded(segment);
    const redacted = redactor.text(text);
    return redacted === text ? segment : redacted;
  });
  const redacted = shown.join('/');
  return redacted === path ? request : JSON.stringify(Object.assign(context, { path: redacted }));
}

/** A path that was accepted may have segments that are not encoded properly. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function redactRow(rules: DataRules, redactor: Redactor, { type, nodeId, data }: EventRow, input: Json): JsonObject {
  const redacted = redactedData(redactor, data, nodeId === null || rules.retainsOutput(nodeId));
  if (type === 'node_started' && Object.hasOwn(data, 'input') && !rules.retainsOutputs) return withoutInput(redacted);
  const field = STATES[type];
  const state = field === undefined ? undefined : data[field];
  if (field === undefined || state === undefined || state === null) return redacted;
  const shown = rules.shownState(redactor, state as JsonObject, input);
  return shown === state ? redacted : { ...redacted, [field]: shown };
}

/** What nodes are given is made of what others have returned. */
function withoutInput({ input: _input, ...data }: JsonObject): JsonObject {
  return Object.assign(data, { input_omitted: true });
}

function eventOf({ seq, type, nodeId, data }: EventRow): LogEvent {
  return { sequence: seq, type: type as EventType, node_id: nodeId, data };
}
