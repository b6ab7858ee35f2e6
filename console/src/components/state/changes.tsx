import type { Json } from '../../../../machines/json.ts';
import type { Change } from '../../../../src/views/state-diff.ts';
import { Name } from '../name.tsx';
import styles from './changes.module.css';

const MAX_SHOWN = 200;
const MAX_CHARS = 240;

interface Props {
  readonly changes: readonly Change[];
  /** Said when there are none. */
  readonly none: string;
}

const SIGNS = { add: '+', remove: '−', replace: '~' } as const;
const WORDS = { add: 'Added', remove: 'Removed', replace: 'Changed' } as const;

/** What differs between two states, one line each: the path, the value before and the one after. */
export function Changes({ changes, none }: Props) {
  if (changes.length === 0) return <p className={styles.none}>{none}</p>;
  return (
    <>
      <ul className={styles.changes} aria-label="Changes">
        {changes.slice(0, MAX_SHOWN).map((change) => (
          <li key={`${change.op} ${change.path}`} className={styles[change.op]}>
            <span className={styles.sign} aria-hidden="true">
              {SIGNS[change.op]}
            </span>
            <span className="visually-hidden">{WORDS[change.op]} </span>
            <code className={styles.path}>
              <Name text={change.path === '' ? '(everything)' : change.path} />
            </code>
            {'old' in change && (
              <del className={styles.old}>
                <Value value={change.old} />
              </del>
            )}
            {'value' in change && (
              <ins className={styles.new}>
                <Value value={change.value} />
              </ins>
            )}
          </li>
        ))}
      </ul>
      {changes.length > MAX_SHOWN && (
        <p className={styles.none}>… and {(changes.length - MAX_SHOWN).toLocaleString()} more changes.</p>
      )}
    </>
  );
}

function Value({ value }: { readonly value: Json }) {
  return (
    <code>
      <Name text={JSON.stringify(value)} maxChars={MAX_CHARS} />
    </code>
  );
}
