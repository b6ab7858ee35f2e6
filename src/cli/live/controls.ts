import type { Json } from '../../../machines/json.ts';
import type { Key } from '../terminal/keyboard.ts';
import { edit, type InputLine, inputLine, textOf } from './input-line.ts';

/** An action requested by a key. */
export type Action =
  | { readonly type: 'decide'; readonly node: string; readonly decision: 'approved' | 'rejected'; readonly comment: string }
  | { readonly type: 'send'; readonly key: string; readonly payload: Json }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  | { readonly type: 'cancel' }
  | { readonly type: 'quit' }
  | { readonly type: 'interrupt' };

/** What the typed line is used for. */
type Purpose =
  | { readonly type: 'comment'; readonly node: string; readonly decision: 'approved' | 'rejected' }
  /** `suggested`: the key for which a node waits, sent if nothing is typed; '' = none. */
  | { readonly type: 'key'; readonly suggested: string }
  | { readonly type: 'payload'; readonly key: string };

type Mode =
  | { readonly type: 'browsing' }
  /** Shows the details of the selected node, starting at this line. */
  | { readonly type: 'reading'; readonly from: number }
  | { readonly type: 'typing'; readonly purpose: Purpose; readonly line: InputLine }
  | { readonly type: 'confirming'; readonly question: string; readonly action: Action };

/** The state of the user interface. */
export interface Controls {
  /** Index of the selected row; null = `defaultRow`. */
  readonly selected: number | null;
  readonly mode: Mode;
  /** The result of the last key; '' = none. */
  readonly notice: string;
}

/** The parts of the model that keys depend on. */
export interface ControlInputs {
  /** Node ids in the order of the outline. */
  readonly nodes: readonly string[];
  /** Index of the selected row if the user has not selected one. */
  readonly defaultRow: number;
  /** Nodes with a pending approval. */
  readonly approvals: readonly string[];
  readonly awaitedEvents: ReadonlyMap<string, string>;
  readonly suspended: boolean;
  readonly ended: boolean;
  /** Rows of a page. */
  readonly pageRows: number;
  /** The maximum first line of the details. */
  readonly maxScroll: number;
}

export interface KeyResult {
  readonly controls: Controls;
  readonly action: Action | null;
}

const BROWSING: Mode = { type: 'browsing' };

export const INITIAL_CONTROLS: Controls = { selected: null, mode: BROWSING, notice: '' };

/** The controls after a key, and the action it requests. */
export function press(controls: Controls, key: Key, inputs: ControlInputs): KeyResult {
  if (key.ctrl && key.name === 'c') return { controls, action: { type: 'interrupt' } };
  const cleared: Controls = { ...controls, notice: '' };
  switch (cleared.mode.type) {
    case 'browsing':
      return browse(cleared, key, inputs);
    case 'reading':
      return read(cleared, cleared.mode.from, key, inputs);
    case 'typing':
      return editLine(cleared, cleared.mode.purpose, cleared.mode.line, key);
    case 'confirming':
      if (key.name === 'y') return { controls: { ...cleared, mode: BROWSING }, action: cleared.mode.action };
      return withoutAction({ ...cleared, mode: BROWSING, notice: 'cancelled' });
    default: {
      const unhandled: never = cleared.mode;
      throw new TypeError(`unhandled mode ${JSON.stringify(unhandled)}`);
    }
  }
}

function withoutAction(controls: Controls): KeyResult {
  return { controls, action: null };
}

function browse(controls: Controls, key: Key, inputs: ControlInputs): KeyResult {
  const offset = lineOffset(key, inputs.pageRows);
  if (offset !== null) {
    const selected = Math.max(0, Math.min(inputs.nodes.length - 1, (controls.selected ?? inputs.defaultRow) + offset));
    return withoutAction({ ...controls, selected });
  }
  if (key.name === 'return' || key.name === 'enter')
    return withoutAction({ ...controls, selected: controls.selected ?? inputs.defaultRow, mode: { type: 'reading', from: 0 } });
  if (key.name === 'q') return { controls, action: { type: 'quit' } };
  if (key.name === 'escape') return withoutAction({ ...controls, selected: null });
  if (inputs.ended) return { controls, action: { type: 'quit' } };
  switch (key.ctrl ? '' : key.name) {
    case 'a':
      return decide(controls, 'approved', inputs);
    case 'r':
      return decide(controls, 'rejected', inputs);
    case 'e': {
      const selected = inputs.awaitedEvents.get(inputs.nodes[controls.selected ?? inputs.defaultRow] ?? '');
      const [any = ''] = inputs.awaitedEvents.values();
      return withoutAction({
        ...controls,
        mode: { type: 'typing', purpose: { type: 'key', suggested: selected ?? any }, line: inputLine('') },
      });
    }
    case 'p':
      if (inputs.suspended) return withoutAction({ ...controls, notice: 'already suspended: u resumes it' });
      return { controls, action: { type: 'pause' } };
    case 'u':
      if (!inputs.suspended) return withoutAction({ ...controls, notice: 'not suspended' });
      return { controls, action: { type: 'resume' } };
    case 'c': {
      const question = 'Cancel the execution, its work and its child executions?';
      return withoutAction({ ...controls, mode: { type: 'confirming', question, action: { type: 'cancel' } } });
    }
    default:
      return withoutAction(controls);
  }
}

/** Decides the approval of the selected node, or the only pending one. */
function decide(controls: Controls, decision: 'approved' | 'rejected', inputs: ControlInputs): KeyResult {
  const selected = inputs.nodes[controls.selected ?? inputs.defaultRow] ?? '';
  const [first, ...others] = inputs.approvals;
  if (first === undefined) return withoutAction({ ...controls, notice: 'no pending approvals' });
  if (!inputs.approvals.includes(selected) && others.length > 0) {
    const at = Math.max(0, inputs.nodes.indexOf(first));
    return withoutAction({ ...controls, selected: at, notice: 'several pending approvals: select a node' });
  }
  const node = inputs.approvals.includes(selected) ? selected : first;
  const at = inputs.nodes.indexOf(node);
  return withoutAction({
    ...controls,
    selected: at === -1 ? controls.selected : at,
    mode: { type: 'typing', purpose: { type: 'comment', node, decision }, line: inputLine('') },
  });
}

function read(controls: Controls, from: number, key: Key, { pageRows, maxScroll }: ControlInputs): KeyResult {
  const offset = lineOffset(key, pageRows);
  if (offset !== null)
    return withoutAction({ ...controls, mode: { type: 'reading', from: Math.max(0, Math.min(maxScroll, from + offset)) } });
  if (key.name === 'return' || key.name === 'enter' || key.name === 'escape' || key.name === 'q')
    return withoutAction({ ...controls, mode: BROWSING });
  return withoutAction(controls);
}

function editLine(controls: Controls, purpose: Purpose, line: InputLine, key: Key): KeyResult {
  if (key.name === 'escape') return withoutAction({ ...controls, mode: BROWSING, notice: 'cancelled' });
  if (key.name === 'return' || key.name === 'enter') return accept(controls, purpose, line);
  return withoutAction({ ...controls, mode: { type: 'typing', purpose, line: edit(line, key) } });
}

function accept(controls: Controls, purpose: Purpose, line: InputLine): KeyResult {
  const text = textOf(line).trim();
  switch (purpose.type) {
    case 'comment': {
      const { node, decision } = purpose;
      const question = `${decision === 'approved' ? 'Approve' : 'Reject'} ${node}${text === '' ? '' : ` (“${text}”)`}?`;
      const action: Action = { type: 'decide', node, decision, comment: text };
      return withoutAction({ ...controls, mode: { type: 'confirming', question, action } });
    }
    case 'key': {
      const chosen = text === '' ? purpose.suggested : text;
      if (chosen === '') return withoutAction({ ...controls, notice: 'the correlation key is missing' });
      return withoutAction({
        ...controls,
        mode: { type: 'typing', purpose: { type: 'payload', key: chosen }, line: inputLine('') },
      });
    }
    case 'payload': {
      const payload = parsed(text === '' ? '{}' : text);
      if ('problem' in payload) return withoutAction({ ...controls, notice: payload.problem });
      return { controls: { ...controls, mode: BROWSING }, action: { type: 'send', key: purpose.key, payload: payload.value } };
    }
    default: {
      const unhandled: never = purpose;
      throw new TypeError(`unhandled purpose ${JSON.stringify(unhandled)}`);
    }
  }
}

function parsed(text: string): { readonly value: Json } | { readonly problem: string } {
  try {
    return { value: JSON.parse(text) as Json };
  } catch (error) {
    return { problem: `not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** The number of lines a key moves by; null for other keys. */
function lineOffset(key: Key, page: number): number | null {
  switch (key.name) {
    case 'up':
    case 'k':
      return -1;
    case 'down':
    case 'j':
      return 1;
    case 'pageup':
      return -page;
    case 'pagedown':
    case 'space':
      return page;
    case 'home':
    case 'g':
      return Number.MIN_SAFE_INTEGER;
    case 'end':
      return Number.MAX_SAFE_INTEGER;
    default:
      return null;
  }
}
