import { createContext, useContext } from 'react';
import type { JsonObject } from '../../../../machines/json.ts';
import type { Execution } from '../../../../src/api/operations/executions.ts';
import type { ExecutionLog } from './log/execution-log.ts';

/** A visit to a node, and one of its attempts. */
export interface AttemptPlace {
  readonly activation: number;
  readonly attempt: number;
}

/** What the parts of the page of an execution share. */
export interface ExecutionView {
  readonly id: string;
  /** As the API gave it last; read again when the execution changes. */
  readonly execution: Execution;
  /** The workflow of the revision that runs. */
  readonly document: JsonObject;
  readonly log: ExecutionLog;
  /** The sequence at which the execution is shown; null = now. */
  readonly at: number | null;
  /** The selected node. */
  readonly node: string | null;
  /** The selected attempt of that node; null = the last one. */
  readonly attempt: AttemptPlace | null;
  setAt(sequence: number | null): void;
  selectNode(node: string | null, attempt?: AttemptPlace): void;
  openTab(tab: string): void;
}

export const ExecutionViewContext = createContext<ExecutionView | null>(null);

/** Only for parts of the page of an execution. */
export function useExecutionView(): ExecutionView {
  const view = useContext(ExecutionViewContext);
  if (view === null) throw new Error('useExecutionView outside of the page of an execution');
  return view;
}
