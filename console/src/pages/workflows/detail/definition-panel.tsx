import { isObject } from '../../../../../machines/json.ts';
import { oneLine } from '../../../../../machines/views/text.ts';
import type { WorkflowDetail } from '../../../../../src/client/index.ts';
import { documentSchema } from '../../../../../src/views/state-schema.ts';
import { DownloadButton } from '../../../components/download-button.tsx';
import { JsonView } from '../../../components/json-view.tsx';
import { Name } from '../../../components/name.tsx';
import styles from './detail.module.css';

/** The document as it was registered. */
export function DefinitionPanel({ workflow: { ir, workflow_id, version } }: { readonly workflow: WorkflowDetail }) {
  const schema = documentSchema(ir);
  const { description } = ir;
  return (
    <div className={styles.panel}>
      {typeof description === 'string' && (
        <p>
          <Name text={description} maxChars={2_000} />
        </p>
      )}
      {isObject(schema) && (
        <section>
          <h2>State schema</h2>
          <JsonView value={schema} label="state schema" />
        </section>
      )}
      <section>
        <div className={styles.heading}>
          <h2>Document</h2>
          <DownloadButton
            content={() => JSON.stringify(ir, null, 2)}
            name={`${oneLine(workflow_id, 80)}-${oneLine(version, 40)}.json`}
            type="application/json"
          />
        </div>
        <JsonView value={ir} label="document" />
      </section>
    </div>
  );
}
