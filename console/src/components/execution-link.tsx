import { Link } from 'wouter';
import styles from './execution-link.module.css';

const SHOWN = 8;

/** A link to an execution by the end of its id, where ids differ; `at` is a sequence of its log. */
export function ExecutionLink({ id, at }: { readonly id: string; readonly at?: number }) {
  return (
    <Link className={styles.link} href={`/executions/${id}${at === undefined ? '' : `?at=${at}`}`} title={id}>
      …{id.slice(-SHOWN)}
    </Link>
  );
}
