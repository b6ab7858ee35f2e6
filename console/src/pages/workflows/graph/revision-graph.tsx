import { useMemo } from 'react';
import type { JsonObject } from '../../../../../machines/json.ts';
import { graphOf } from '../../../../../src/views/graph.ts';
import { Empty } from '../../../components/empty.tsx';
import { messageOf } from '../../../components/error-notice.tsx';
import type { GraphMarks } from '../../../components/graph/graph-node.tsx';
import { WorkflowGraph } from '../../../components/graph/workflow-graph.tsx';

interface Props {
  readonly document: JsonObject;
  readonly revision: string;
  /** What to say of nodes, by their ids. */
  readonly marks?: GraphMarks | null;
  readonly selected: string | null;
  readonly onSelect: (node: string) => void;
  readonly label: string;
}

/** The graph of a revision, without an execution. Loaded by `import()`: it is heavy. */
export function RevisionGraph({ document, revision, marks = null, selected, onSelect, label }: Props) {
  const drawn = useMemo(() => {
    try {
      return { graph: graphOf(document) };
    } catch (error) {
      return { error };
    }
  }, [document]);
  if ('error' in drawn)
    return (
      <Empty title="The workflow cannot be drawn">
        <p>{messageOf(drawn.error)}</p>
      </Empty>
    );
  return (
    <WorkflowGraph
      graph={drawn.graph}
      layoutKey={revision}
      overlay={null}
      marks={marks}
      selected={selected}
      onSelect={onSelect}
      label={label}
    />
  );
}
