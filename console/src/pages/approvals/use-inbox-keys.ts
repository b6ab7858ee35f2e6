import { type RefObject, useEffect, useRef } from 'react';

interface Keys {
  /** Where arrows move, and Enter opens, because nothing else there wants them. */
  readonly list: RefObject<HTMLElement | null>;
  readonly onMove: (by: number) => void;
  readonly onApprove: () => void;
  readonly onReject: () => void;
  readonly onOpen: () => void;
}

/** Rows to move by. */
const LIST_STEPS: Readonly<Record<string, number>> = {
  ArrowDown: 1,
  ArrowUp: -1,
  PageDown: 10,
  PageUp: -10,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

/** Keys of the inbox. Letters work wherever no text is typed. */
export function useInboxKeys(keys: Keys): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const { list } = latest.current;
      const isInList = event.target === document.body || list.current?.contains(event.target as Node) === true;
      if (actOn(event.key, isInList, latest.current)) event.preventDefault();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}

/** Returns false for a key that means nothing. */
function actOn(key: string, isInList: boolean, { onMove, onApprove, onReject, onOpen }: Keys): boolean {
  const steps = { j: 1, k: -1, ...(isInList ? LIST_STEPS : {}) }[key];
  if (steps !== undefined) onMove(steps);
  else if (key === 'a') onApprove();
  else if (key === 'r') onReject();
  else if (key === 'o' || (key === 'Enter' && isInList)) onOpen();
  else return false;
  return true;
}

/** Whether the key belongs to a field, or to a dialog. */
function isTyping(target: EventTarget | null): boolean {
  if (document.querySelector('dialog[open]') !== null) return true;
  return target instanceof Element && target.closest('input, textarea, select, [contenteditable="true"]') !== null;
}
