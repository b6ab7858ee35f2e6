import { Dialog } from '../../components/dialog.tsx';
import styles from './executions.module.css';

const KEYS = [
  ['j', 'k', 'Next and previous execution; so do ↓ and ↑ in the list'],
  ['Enter', null, 'Open the execution'],
  ['x', null, 'Select it'],
  ['/', null, 'Search'],
  ['g', 'G', 'To the newest, to the oldest'],
  ['Esc', null, 'Clear the selection'],
  ['?', null, 'Show these keys'],
] as const;

export function KeysDialog({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl className={styles.keys}>
        {KEYS.map(([key, other, what]) => (
          <div key={key} className={styles.key}>
            <dt>
              <kbd>{key}</kbd> {other !== null && <kbd>{other}</kbd>}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
