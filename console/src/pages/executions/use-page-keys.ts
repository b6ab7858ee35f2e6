import { useEffect, useRef } from 'react';

interface KeyActions {
  readonly next: () => void;
  readonly previous: () => void;
  readonly first: () => void;
  readonly last: () => void;
  readonly open: () => void;
  readonly select: () => void;
  readonly search: () => void;
  readonly keys: () => void;
  readonly clear: () => void;
}

const EVERYWHERE: Readonly<Record<string, keyof KeyActions>> = {
  j: 'next',
  k: 'previous',
  x: 'select',
  g: 'first',
  G: 'last',
  '/': 'search',
  '?': 'keys',
  Escape: 'clear',
};
/** Elsewhere, these belong to the focused control, or scroll. */
const IN_LIST: Readonly<Record<string, keyof KeyActions>> = {
  ArrowDown: 'next',
  ArrowUp: 'previous',
  Home: 'first',
  End: 'last',
  Enter: 'open',
  ' ': 'select',
};

/** The keys of the page, wherever the focus is outside of fields and dialogs; the returned handler takes those of the list. */
export function usePageKeys(actions: KeyActions): (event: KeyboardEvent, isInList: boolean) => void {
  const latest = useRef(actions);
  latest.current = actions;
  const handle = useRef((event: KeyboardEvent, isInList: boolean): void => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.closest('input:not([type="checkbox"]), textarea, select, [contenteditable], dialog') !== null) return;
    const isControl = target.closest('a, button, input') !== null;
    const name = EVERYWHERE[event.key] ?? (isInList && !isControl ? IN_LIST[event.key] : undefined) ?? openedFrom(event, target);
    if (name === undefined) return;
    event.preventDefault();
    latest.current[name]();
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => handle.current(event, false);
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  }, []);
  return handle.current;
}

/** Enter opens the active row also when nothing has the focus. */
function openedFrom({ key }: KeyboardEvent, target: Element): 'open' | undefined {
  return key === 'Enter' && (target === document.body || target.tagName === 'MAIN') ? 'open' : undefined;
}
