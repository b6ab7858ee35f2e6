import { useId } from 'react';
import type { Diagnostic } from '../../../../../src/api/schemas/errors.ts';
import { Button } from '../../../components/button.tsx';
import { Name } from '../../../components/name.tsx';
import { SeverityBadge } from '../severity-badge.tsx';
import styles from './register.module.css';

interface Props {
  readonly title: string;
  readonly diagnostics: readonly Diagnostic[];
  /** Shows a line of the source; null = there is none. */
  readonly onGoTo: ((line: number) => void) | null;
}

export function DiagnosticList({ title, diagnostics, onGoTo }: Props) {
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <h3 id={id}>
        <Name text={title} maxChars={120} />
      </h3>
      <ul className={styles.diagnostics}>
        {diagnostics.map(({ severity, code, message, hint, path, line, column }, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the problems of a reply do not change
          <li key={at}>
            <SeverityBadge severity={severity} />
            <span>
              <Name text={message} maxChars={1_000} />
              {hint !== null && (
                <span className={styles.hint}>
                  <Name text={hint} maxChars={400} />
                </span>
              )}
              <code className={styles.hint}>
                {code}
                {path !== null && (
                  <>
                    {' · '}
                    <Name text={path} maxChars={200} />
                  </>
                )}
              </code>
            </span>
            {line !== undefined && onGoTo !== null && (
              <Button kind="quiet" onClick={() => onGoTo(line)}>
                Line {line}
                {column === undefined ? '' : `:${column}`}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
