import { useState } from 'react';
import { Button } from './button.tsx';
import { copyText } from './copy-text.ts';

interface Props {
  readonly tabIndex?: number;
  /** What is copied, made only then. */
  readonly text: () => string;
  /** Completes `Copy …`. */
  readonly what: string;
  /** Default `Copy`. */
  readonly label?: string;
}

export function CopyButton({ text, what, label = 'Copy', tabIndex }: Props) {
  const [copied, setCopied] = useState<'no' | 'yes' | 'refused'>('no');
  return (
    <Button
      kind="quiet"
      tabIndex={tabIndex}
      onClick={({ currentTarget }) => {
        copyText(text(), currentTarget).then(
          () => setCopied('yes'),
          () => setCopied('refused'),
        );
      }}
      onBlur={() => setCopied('no')}
      aria-label={`Copy ${what}`}
    >
      {copied === 'no' ? label : copied === 'yes' ? 'Copied' : 'Not permitted'}
    </Button>
  );
}
