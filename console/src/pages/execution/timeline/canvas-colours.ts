import { useEffect, useState } from 'react';

/** The tokens of styles/base.css that the timeline draws with. */
const TOKENS = [
  'ink',
  'muted',
  'line',
  'line-strong',
  'surface',
  'accent',
  'accent-soft',
  'running',
  'running-soft',
  'paused',
  'paused-soft',
  'completed',
  'completed-soft',
  'failed',
  'failed-soft',
  'held',
  'held-soft',
  'retrying',
  'retrying-soft',
  'cancelled',
  'cancelled-soft',
] as const;

export type Token = (typeof TOKENS)[number];
export type Colours = Readonly<Record<Token, string>>;

/** The colours of the theme, which a canvas does not get from the style sheet. */
export function useColours(): Colours {
  const [colours, setColours] = useState(readColours);
  useEffect(() => {
    const read = (): void => setColours(readColours());
    const system = matchMedia('(prefers-color-scheme: dark)');
    const chosen = new MutationObserver(read);
    system.addEventListener('change', read);
    chosen.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => {
      system.removeEventListener('change', read);
      chosen.disconnect();
    };
  }, []);
  return colours;
}

function readColours(): Colours {
  const probe = document.createElement('span');
  document.body.append(probe);
  const entries = TOKENS.map((token) => {
    probe.style.color = `var(--${token})`;
    return [token, getComputedStyle(probe).color] as const;
  });
  probe.remove();
  return Object.fromEntries(entries) as Record<Token, string>;
}
