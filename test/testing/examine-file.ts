import { checkTests } from '../../src/authoring/check.ts';
import { examineTests, type FileExamination } from '../../src/testing/examine.ts';

type Bounds = Parameters<typeof examineTests>[2];

export function examine(text: string, file: string, bounds: Bounds, nowMs: () => number) {
  return examineTests(checkTests(text, file), file, bounds, nowMs);
}

/** Examines a workflow with these nodes and tests, within bounds that small workflows do not reach. */
export function examined(nodes: string, tests = '', bounds = { paths: 1_000, steps: 5_000 }): FileExamination {
  const text = `workflow: { id: w, version: 1.0.0 }\nnodes:\n${nodes}\n${tests === '' ? '' : `tests:\n${tests}\n`}`;
  return examine(text, 'workflow.yaml', bounds, () => 0)[0];
}

/** `severity code node` of each finding, failures that end the run last. */
export function found({ findings }: FileExamination): string[] {
  return findings
    .filter(({ code }) => code !== 'failure_ends_run')
    .map(({ severity, code, node_id }) => `${severity} ${code} ${node_id}`);
}

export function paths({ exploration }: FileExamination): readonly string[] {
  return exploration?.paths ?? [];
}
