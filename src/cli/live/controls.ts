import type { Json } from '../../../machines/json.ts';
import type { Key } from '../terminal/keyboard.ts';
import { edit, type Line, lineOf, textOf } from './line.ts';

/** What the person wants done. */
export type Deed =
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
  | { readonly is: 'typing'; readonly purpose: Purpose; readonly line: Line }
  | { readonly is: 'confirming'; readonly question: string; readonly deed: Deed };

/** Where the person at the keyboard is. */
export interface Controls {
  /** Index of the selected row; null = whatever is under way. */
  readonly selected: number | null;
  readonly mode: Mode;
  /** The answer to the last key; '' = none. */
  readonly notice: string;
}

/** What the keys depend on. */
export interface Seen {
  /** Node ids, in the order of the outline. */
  readonly nodes: readonly string[];
  /** Index of the row that is selected while nobody selects another. */
  readonly current: number;
  /** Nodes with an open approval. */
  readonly approvals: readonly string[];
  readonly awaited: ReadonlyMap<string, string>;
  readonly held: boolean;
  readonly over: boolean;
  /** Rows of a page. */
  readonly page: number;
  /** The last line that details can begin with. */
  readonly bottom: number;
}

export interface Pressed {
  readonly controls: Controls;
  readonly deed: Deed | null;
}

const BROWSING: Mode = { is: 'browsing' };

export const AT_FIRST: Controls = { selected: null, mode: BROWSING, notice: '' };

/** The controls after a key, and what is to be done because of it. */
export function press(controls: Controls, key: Key, seen: Seen): Pressed {
  if (key.ctrl && key.name === 'c') return { controls, deed: { do: 'interrupt' } };
  const quiet: Controls = { ...controls, notice: '' };
  switch (quiet.mode.is) {
    case 'browsing':
      return browse(quiet, key, seen);
    case 'reading':
      return read(quiet, quiet.mode.from, key, seen);
    case 'typing':
      return type(quiet, quiet.mode.purpose, quiet.mode.line, key);
    case 'confirming':
      if (key.name === 'y') return { controls: { ...quiet, mode: BROWSING }, deed: quiet.mode.deed };
      return stay({ ...quiet, mode: BROWSING, notice: 'left as it is' });
    default: {
      const unhandled: never = quiet.mode;
      throw new TypeError(`unhandled mode ${JSON.stringify(unhandled)}`);
    }
  }
}

function stay(controls: Controls): Pressed {
  return { controls, deed: null };
}

function browse(controls: Controls, key: Key, seen: Seen): Pressed {
  const moved = move(key, seen.page);
  if (moved !== null) {
    const selected = Math.max(0, Math.min(seen.nodes.length - 1, (controls.selected ?? seen.current) + moved));
    return stay({ ...controls, selected });
  }
  if (key.name === 'return' || key.name === 'enter')
    return stay({ ...controls, selected: controls.selected ?? seen.current, mode: { is: 'reading', from: 0 } });
  if (key.name === 'q') return { controls, deed: { do: 'leave' } };
  if (key.name === 'escape') return stay({ ...controls, selected: null });
  if (seen.over) return { controls, deed: { do: 'leave' } };
  switch (key.ctrl ? '' : key.name) {
    case 'a':
      return decide(controls, 'approved', seen);
    case 'r':
      return decide(controls, 'rejected', seen);
    case 'e': {
      const selected = seen.awaited.get(seen.nodes[controls.selected ?? seen.current] ?? '');
      const [any = ''] = seen.awaited.values();
      return stay({ ...controls, mode: { is: 'typing', purpose: { of: 'key' }, line: lineOf(selected ?? any) } });
    }
    case 'p':
      if (seen.held) return stay({ ...controls, notice: 'it is held already: u resumes it' });
      return { controls, deed: { do: 'pause' } };
    case 'u':
      if (!seen.held) return stay({ ...controls, notice: 'it is not held' });
      return { controls, deed: { do: 'resume' } };
    case 'c': {
      const question = 'Cancel the execution, with its work and child executions?';
      return stay({ ...controls, mode: { is: 'confirming', question, deed: { do: 'cancel' } } });
    }
    default:
      return stay(controls);
  }
}

/** The selected node's approval, or the only one there is. */
function decide(controls: Controls, decision: 'approved' | 'rejected', seen: Seen): Pressed {
  const selected = seen.nodes[controls.selected ?? seen.current] ?? '';
  const [first, ...others] = seen.approvals;
  if (first === undefined) return stay({ ...controls, notice: 'nothing waits for approval' });
  if (!seen.approvals.includes(selected) && others.length > 0) {
    const at = Math.max(0, seen.nodes.indexOf(first));
    return stay({ ...controls, selected: at, notice: 'several wait for approval: select the one that is meant' });
  }
  const node = seen.approvals.includes(selected) ? selected : first;
  const at = seen.nodes.indexOf(node);
  return stay({
    ...controls,
    selected: at === -1 ? controls.selected : at,
    mode: { is: 'typing', purpose: { of: 'comment', node, decision }, line: lineOf('') },
  });
}

function read(controls: Controls, from: number, key: Key, { page, bottom }: Seen): Pressed {
  const moved = move(key, page);
  if (moved !== null) return stay({ ...controls, mode: { is: 'reading', from: Math.max(0, Math.min(bottom, from + moved)) } });
  if (key.name === 'return' || key.name === 'enter' || key.name === 'escape' || key.name === 'q')
    return stay({ ...controls, mode: BROWSING });
  return stay(controls);
}

function type(controls: Controls, purpose: Purpose, line: Line, key: Key): Pressed {
  if (key.name === 'escape') return stay({ ...controls, mode: BROWSING, notice: 'left as it is' });
  if (key.name === 'return' || key.name === 'enter') return accept(controls, purpose, line);
  return stay({ ...controls, mode: { is: 'typing', purpose, line: edit(line, key) } });
}

function accept(controls: Controls, purpose: Purpose, line: Line): Pressed {
  const text = textOf(line).trim();
  switch (purpose.of) {
    case 'comment': {
      const { node, decision } = purpose;
      const question = `${decision === 'approved' ? 'Approve' : 'Reject'} ${node}${text === '' ? '' : ` (“${text}”)`}?`;
      const deed: Deed = { do: 'decide', node, decision, comment: text };
      return stay({ ...controls, mode: { is: 'confirming', question, deed } });
    }
    case 'key':
      if (text === '') return stay({ ...controls, notice: 'an event needs its correlation key' });
      return stay({ ...controls, mode: { is: 'typing', purpose: { of: 'payload', key: text }, line: lineOf('{}') } });
    case 'payload': {
      const payload = parsed(text);
      if ('problem' in payload) return stay({ ...controls, notice: payload.problem });
      return { controls: { ...controls, mode: BROWSING }, deed: { do: 'send', key: purpose.key, payload: payload.value } };
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
function move(key: Key, page: number): number | null {
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
