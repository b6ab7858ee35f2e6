import { compile } from '../../machines/compile/index.ts';
import { InvalidWorkflow } from '../../machines/diagnostics.ts';
import type { Program } from '../../machines/step/program.ts';
import { validate } from '../../machines/validate/index.ts';
import { branchInputsOf } from './exploration/branch-inputs.ts';
import { explore } from './exploration/explore.ts';
import { type FindingCode, findingsOf, type Severity } from './exploration/findings.ts';
import { pathsOf } from './exploration/paths.ts';
import { Branches } from './simulation/branches.ts';

export interface AnalysisBounds {
  /** Maximum number of distinct paths, and of simulated steps. */
  readonly paths: number;
  readonly steps: number;
  /** Asked before each step: true ends the exploration. */
  readonly isOver: () => boolean;
}

export type AnalysisLimit = 'steps' | 'paths' | 'values' | 'time';

export interface AnalysisFinding {
  /** A `FindingCode`, or the code of a diagnostic. */
  readonly code: FindingCode | (string & {});
  readonly severity: Severity;
  readonly message: string;
  readonly hint: string | null;
  readonly node_id: string | null;
  /** Path in the document. */
  readonly path: string | null;
}

/** What is known of a registered workflow without running it. */
export interface WorkflowAnalysis {
  /** Errors first, then warnings. */
  readonly findings: readonly AnalysisFinding[];
  /** Number of distinct paths from the start to an end that were found, without unhandled failures. */
  readonly paths: number;
  readonly states: number;
  readonly steps: number;
  /** Limits that were reached; with any, the exploration is incomplete. */
  readonly bounded: readonly AnalysisLimit[];
}

/** Checks a document as a registration would, and explores its state space like `jamjet test` without tests. Takes up to seconds. */
export function analyse(document: unknown, { paths: maxPaths, steps, isOver }: AnalysisBounds): WorkflowAnalysis {
  const { workflow, diagnostics } = validate(document);
  const program = workflow === null ? new InvalidWorkflow(diagnostics) : compiled(() => compile(workflow, ''));
  const unexplored = { paths: 0, states: 0, steps: 0, bounded: [] };
  if (program instanceof InvalidWorkflow) {
    const all = workflow === null ? diagnostics : [...diagnostics, ...program.diagnostics];
    return { findings: sorted(all), ...unexplored };
  }
  const branches = new Branches(program);
  const inputs = branchInputsOf(program, branches);
  const workflows = inputs.environments.map((env) => ({ program, branches, env }));
  const explored = explore(workflows, inputs, steps, isOver);
  const paths = pathsOf(explored, maxPaths);
  const found = findingsOf({ program, branches, env: {} }, inputs, explored, new Set());
  return {
    findings: sorted([...diagnostics, ...found.map(({ node, ...finding }) => ({ ...finding, node_id: node }))]),
    paths: paths.paths.length,
    states: explored.stateNodes.length,
    steps: explored.steps,
    bounded: [
      ...(explored.bounded ? [explored.steps < steps ? ('time' as const) : ('steps' as const)] : []),
      ...(paths.bounded ? ['paths' as const] : []),
      ...(inputs.bounded ? ['values' as const] : []),
    ],
  };
}

const ORDER: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 };

function sorted(findings: readonly AnalysisFinding[]): readonly AnalysisFinding[] {
  return findings
    .map(({ code, severity, message, hint, node_id, path }) => ({ code, severity, message, hint, node_id, path }))
    .sort((a, b) => ORDER[a.severity] - ORDER[b.severity]);
}

function compiled(compileIt: () => Program): Program | InvalidWorkflow {
  try {
    return compileIt();
  } catch (error) {
    if (error instanceof InvalidWorkflow) return error;
    throw error;
  }
}
