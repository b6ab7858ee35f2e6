import { Link } from 'wouter';
import { shortId } from '../../../src/views/short-id.ts';
import styles from './execution-link.module.css';

/** A link to an execution by the end of its id, where ids differ; `at` is a sequence of its log. */
export function ExecutionLink({ id, at }: { readonly id: string; readonly at?: number }) {
  return (
    <Link className={styles.link} href={`/executions/${id}${at === undefined ? '' : `?at=${at}`}`} title={id}>
      …{shortId(id)}
    </Link>
  );
}
