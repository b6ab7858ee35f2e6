import { compile } from '../../machines/compile/index.ts';
import { InvalidWorkflow } from '../../machines/diagnostics.ts';
import type { Workflow } from '../../machines/ir/workflow.ts';
import type { Program } from '../../machines/step/program.ts';
import type { CheckedTests } from '../authoring/check-object.ts';
import type { AuthoringDiagnostic } from '../authoring/diagnostic.ts';
import type { AuthoredTest } from '../authoring/tests.ts';
import { type Coverage, coverageOf } from './coverage.ts';
import { branchInputsOf } from './exploration/branch-inputs.ts';
import { explore } from './exploration/explore.ts';
import { type FindingCode, findingsOf, type Severity } from './exploration/findings.ts';
import { pathsOf, pathText } from './exploration/paths.ts';
import { mismatches, type TestMismatch } from './mismatches.ts';
import { Branches } from './simulation/branches.ts';
import { type PlayResult, play } from './simulation/play.ts';
import type { SimWorkflow } from './simulation/simulation.ts';

/** Limits of the exploration. */
export interface ExplorationBounds {
  /** Maximum number of distinct paths. */
  readonly paths: number;
  /** Maximum number of simulated steps, without those of the tests. */
  readonly steps: number;
}

/** The result of examining a workflow of a file. */
export interface FileExamination {
  /** Its id when the file has several workflows; else null. */
  readonly unit: string | null;
  /** Problems of the file and its documents, as reported by `validate`; of several workflows, the first has them all. */
  readonly diagnostics: readonly AuthoringDiagnostic[];
  /** Null if the file is invalid. */
  readonly workflow: Workflow | null;
  readonly tests: readonly TestResult[];
  readonly findings: readonly LocatedFinding[];
  readonly coverage: Coverage | null;
  readonly exploration: Exploration | null;
}

export interface Exploration {
  readonly states: number;
  readonly steps: number;
  /** Paths without an unhandled failure. */
  readonly paths: readonly string[];
  /** The limits that were reached; the exploration is incomplete if there are any. */
  readonly bounded: readonly ('steps' | 'paths' | 'values')[];
}

export interface TestResult {
  readonly test: AuthoredTest;
  readonly passed: boolean;
  readonly mismatches: readonly TestMismatch[];
  readonly played: PlayResult;
  readonly durationMs: number;
}

export interface LocatedFinding {
  readonly severity: Severity;
  readonly code: FindingCode;
  readonly node_id: string | null;
  readonly message: string;
  readonly hint: string | null;
  /** 1-based, in the file. */
  readonly line: number;
  readonly column: number;
}

/** Runs the tests of a workflow file and explores its state space, without a server, network or clock. One examination per workflow. */
export function examineTests(
  [first, ...others]: readonly [CheckedTests, ...CheckedTests[]],
  file: string,
  bounds: ExplorationBounds,
  nowMs: () => number,
): readonly [FileExamination, ...FileExamination[]] {
  const examineOne = (checked: CheckedTests) => examineWorkflow(checked, file, bounds, nowMs);
  return [examineOne(first), ...others.map(examineOne)];
}

function examineWorkflow(checked: CheckedTests, file: string, bounds: ExplorationBounds, nowMs: () => number): FileExamination {
  const { unit, workflow, tests, locate, diagnostics } = checked;
  const nothing = { unit, diagnostics, workflow: null, tests: [], findings: [], coverage: null, exploration: null };
  if (workflow === null) return nothing;
  const program = tryCompile(workflow);
  if (program instanceof InvalidWorkflow) {
    const placed = program.diagnostics.map((found) => ({ ...found, file, ...locate(found.path ?? `nodes.${found.node_id}`) }));
    return { ...nothing, diagnostics: [...diagnostics, ...placed] };
  }
  const branches = new Branches(program);
  const inputs = branchInputsOf(program, branches);
  const workflows = inputs.environments.map((env) => ({ program, branches, env }));
  const simulated: SimWorkflow = { program, branches, env: {} };
  const results = tests.map((test) => runTest(simulated, test, nowMs));
  const tested = results.map(({ played }) => played.branches);
  const explored = explore(workflows, inputs, bounds.steps);
  const paths = pathsOf(explored, bounds.paths);
  const findings = findingsOf(simulated, inputs, explored, new Set(tested.flat()));
  return {
    unit,
    diagnostics,
    workflow,
    tests: results,
    findings: findings.map(({ node, path, severity, code, message, hint }) => {
      return { severity, code, node_id: node, message, hint, ...locate(path) };
    }),
    coverage: coverageOf(branches, paths, tested),
    exploration: {
      states: explored.stateNodes.length,
      steps: explored.steps,
      paths: paths.paths.map(pathText),
      bounded: [
        ...(explored.bounded ? ['steps' as const] : []),
        ...(paths.bounded ? ['paths' as const] : []),
        ...(inputs.bounded ? ['values' as const] : []),
      ],
    },
  };
}

/** Compiles the workflow; some graphs are rejected only by the compiler. */
function tryCompile(workflow: Workflow): Program | InvalidWorkflow {
  try {
    return compile(workflow, '');
  } catch (error) {
    if (error instanceof InvalidWorkflow) return error;
    throw error;
  }
}

function runTest(simulated: SimWorkflow, test: AuthoredTest, nowMs: () => number): TestResult {
  const startedMs = nowMs();
  const played = play(simulated, test);
  const found = mismatches(test, played);
  const passed = test.problems.length === 0 && found.length === 0 && !played.cutShort;
  return { test, passed, mismatches: found, played, durationMs: nowMs() - startedMs };
}
