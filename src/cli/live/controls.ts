import type { Json } from '../../../machines/json.ts';
import type { Key } from '../terminal/keyboard.ts';
import { edit, type InputLine, inputLine, textOf } from './input-line.ts';

/** What the person wants done. */
export type Action =
  | { readonly do: 'decide'; readonly node: string; readonly decision: 'approved' | 'rejected'; readonly comment: string }
  | { readonly do: 'send'; readonly key: string; readonly payload: Json }
  | { readonly do: 'pause' }
  | { readonly do: 'resume' }
  | { readonly do: 'cancel' }
  | { readonly do: 'leave' }
  | { readonly do: 'interrupt' };

/** What a line is typed for. */
type Purpose =
  | { readonly of: 'comment'; readonly node: string; readonly decision: 'approved' | 'rejected' }
  | { readonly of: 'key' }
  | { readonly of: 'payload'; readonly key: string };

type Mode =
  | { readonly is: 'browsing' }
  /** The details of the selected node, from this line on. */
  | { readonly is: 'reading'; readonly from: number }
  | { readonly is: 'typing'; readonly purpose: Purpose; readonly line: InputLine }
  | { readonly is: 'confirming'; readonly question: string; readonly deed: Action };

/** Where the person at the keyboard is. */
export interface Controls {
  /** Index of the selected row; null = whatever is under way. */
  readonly selected: number | null;
  readonly mode: Mode;
  /** The answer to the last key; '' = none. */
  readonly notice: string;
}

/** What the keys depend on. */
export interface ControlInputs {
  /** Node ids, in the order of the outline. */
  readonly nodes: readonly string[];
  /** Index of the row that is selected while nobody selects another. */
  readonly defaultRow: number;
  /** Nodes with an open approval. */
  readonly approvals: readonly string[];
  readonly awaitedEvents: ReadonlyMap<string, string>;
  readonly suspended: boolean;
  readonly ended: boolean;
  /** Rows of a page. */
  readonly pageRows: number;
  /** The last line that details can begin with. */
  readonly maxScroll: number;
}

export interface KeyResult {
  readonly controls: Controls;
  readonly action: Action | null;
}

const BROWSING: Mode = { is: 'browsing' };

export const INITIAL_CONTROLS: Controls = { selected: null, mode: BROWSING, notice: '' };

/** The controls after a key, and what is to be done because of it. */
export function press(controls: Controls, key: Key, inputs: ControlInputs): KeyResult {
  if (key.ctrl && key.name === 'c') return { controls, action: { do: 'interrupt' } };
  const cleared: Controls = { ...controls, notice: '' };
  switch (cleared.mode.is) {
    case 'browsing':
      return browse(cleared, key, inputs);
    case 'reading':
      return read(cleared, cleared.mode.from, key, inputs);
    case 'typing':
      return type(cleared, cleared.mode.purpose, cleared.mode.line, key);
    case 'confirming':
      if (key.name === 'y') return { controls: { ...cleared, mode: BROWSING }, action: cleared.mode.deed };
      return withoutAction({ ...cleared, mode: BROWSING, notice: 'left as it is' });
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
    return withoutAction({ ...controls, selected: controls.selected ?? inputs.defaultRow, mode: { is: 'reading', from: 0 } });
  if (key.name === 'q') return { controls, action: { do: 'leave' } };
  if (key.name === 'escape') return withoutAction({ ...controls, selected: null });
  if (inputs.ended) return { controls, action: { do: 'leave' } };
  switch (key.ctrl ? '' : key.name) {
    case 'a':
      return decide(controls, 'approved', inputs);
    case 'r':
      return decide(controls, 'rejected', inputs);
    case 'e': {
      const selected = inputs.awaitedEvents.get(inputs.nodes[controls.selected ?? inputs.defaultRow] ?? '');
      const [any = ''] = inputs.awaitedEvents.values();
      return withoutAction({ ...controls, mode: { is: 'typing', purpose: { of: 'key' }, line: inputLine(selected ?? any) } });
    }
    case 'p':
      if (inputs.suspended) return withoutAction({ ...controls, notice: 'it is held already: u resumes it' });
      return { controls, action: { do: 'pause' } };
    case 'u':
      if (!inputs.suspended) return withoutAction({ ...controls, notice: 'it is not held' });
      return { controls, action: { do: 'resume' } };
    case 'c': {
      const question = 'Cancel the execution, with its work and child executions?';
      return withoutAction({ ...controls, mode: { is: 'confirming', question, deed: { do: 'cancel' } } });
    }
    default:
      return withoutAction(controls);
  }
}

/** The selected node's approval, or the only one there is. */
function decide(controls: Controls, decision: 'approved' | 'rejected', inputs: ControlInputs): KeyResult {
  const selected = inputs.nodes[controls.selected ?? inputs.defaultRow] ?? '';
  const [first, ...others] = inputs.approvals;
  if (first === undefined) return withoutAction({ ...controls, notice: 'nothing waits for approval' });
  if (!inputs.approvals.includes(selected) && others.length > 0) {
    const at = Math.max(0, inputs.nodes.indexOf(first));
    return withoutAction({ ...controls, selected: at, notice: 'several wait for approval: select the one that is meant' });
  }
  const node = inputs.approvals.includes(selected) ? selected : first;
  const at = inputs.nodes.indexOf(node);
  return withoutAction({
    ...controls,
    selected: at === -1 ? controls.selected : at,
    mode: { is: 'typing', purpose: { of: 'comment', node, decision }, line: inputLine('') },
  });
}

function read(controls: Controls, from: number, key: Key, { pageRows, maxScroll }: ControlInputs): KeyResult {
  const offset = lineOffset(key, pageRows);
  if (offset !== null)
    return withoutAction({ ...controls, mode: { is: 'reading', from: Math.max(0, Math.min(maxScroll, from + offset)) } });
  if (key.name === 'return' || key.name === 'enter' || key.name === 'escape' || key.name === 'q')
    return withoutAction({ ...controls, mode: BROWSING });
  return withoutAction(controls);
}

function type(controls: Controls, purpose: Purpose, line: InputLine, key: Key): KeyResult {
  if (key.name === 'escape') return withoutAction({ ...controls, mode: BROWSING, notice: 'left as it is' });
  if (key.name === 'return' || key.name === 'enter') return accept(controls, purpose, line);
  return withoutAction({ ...controls, mode: { is: 'typing', purpose, line: edit(line, key) } });
}

function accept(controls: Controls, purpose: Purpose, line: InputLine): KeyResult {
  const text = textOf(line).trim();
  switch (purpose.of) {
    case 'comment': {
      const { node, decision } = purpose;
      const question = `${decision === 'approved' ? 'Approve' : 'Reject'} ${node}${text === '' ? '' : ` (“${text}”)`}?`;
      const action: Action = { do: 'decide', node, decision, comment: text };
      return withoutAction({ ...controls, mode: { is: 'confirming', question, deed: action } });
    }
    case 'key':
      if (text === '') return withoutAction({ ...controls, notice: 'an event needs its correlation key' });
      return withoutAction({ ...controls, mode: { is: 'typing', purpose: { of: 'payload', key: text }, line: inputLine('{}') } });
    case 'payload': {
      const payload = parsed(text);
      if ('problem' in payload) return withoutAction({ ...controls, notice: payload.problem });
      return { controls: { ...controls, mode: BROWSING }, action: { do: 'send', key: purpose.key, payload: payload.value } };
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

/** By how many lines a key moves; null = it is none that does. */
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
