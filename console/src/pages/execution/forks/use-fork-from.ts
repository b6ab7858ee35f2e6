import { useCallback } from 'react';
import { useParameters } from '../../../routing/hash-location.ts';

interface ForkFrom {
  /** The sequence at which the reader is about to fork; null = none. */
  readonly forkAt: number | null;
  openFork(sequence: number): void;
  closeFork(): void;
}

/** The dialog of a fork is part of the page's URL, so that every part of the page can open it. */
export function useForkFrom(): ForkFrom {
  const [parameters, change] = useParameters();
  const text = parameters.get('fork');
  const openFork = useCallback((sequence: number) => change({ fork: String(sequence) }), [change]);
  const closeFork = useCallback(() => change({ fork: undefined }), [change]);
  return { forkAt: text !== null && /^[1-9]\d{0,15}$/.test(text) ? Number(text) : null, openFork, closeFork };
}
