import { compile, type Program } from '../../machines/compile/index.ts';
import { InvalidWorkflow } from '../../machines/diagnostics.ts';
import type { Workflow } from '../../machines/ir/workflow.ts';
import { checkTests } from '../authoring/check.ts';
import type { AuthoringDiagnostic } from '../authoring/diagnostic.ts';
import type { AuthoredTest } from '../authoring/tests.ts';
import { branchInputsOf } from './branch-inputs.ts';
import { Branches } from './branches.ts';
import { type Coverage, coverageOf } from './coverage.ts';
import { explore } from './explore.ts';
import { type FindingCode, findingsOf, type Severity } from './findings.ts';
import { mismatches, type TestMismatch } from './mismatches.ts';
import { pathsOf, pathText } from './paths.ts';
import { type PlayResult, play } from './play.ts';
import type { SimWorkflow } from './simulation.ts';

/** How far to look. */
export interface ExplorationBounds {
  /** Different paths told apart. */
  readonly paths: number;
  /** Steps of simulated runs, scripted ones aside. */
  readonly steps: number;
}

/** Everything that is to be said of one workflow file. */
export interface FileExamination {
  /** What the file and the document have wrong, as `validate` tells it. */
  readonly diagnostics: readonly AuthoringDiagnostic[];
  /** Null when the file is not valid. */
  readonly workflow: Workflow | null;
  readonly tests: readonly TestResult[];
  readonly findings: readonly LocatedFinding[];
  readonly coverage: Coverage | null;
  readonly exploration: Exploration | null;
}

export interface Exploration {
  readonly situations: number;
  readonly steps: number;
  /** Without a failure that nobody handles. */
  readonly paths: readonly string[];
  /** Which bounds were reached: there is more than was looked at. */
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

/** Plays the tests of a workflow file, and everything else that can happen to it. Without a server, network or clock. */
export function examine(text: string, file: string, bounds: ExplorationBounds, nowMs: () => number): FileExamination {
  const { file: authored, workflow, tests, locate } = checkTests(text, file);
  const { diagnostics } = authored;
  const nothing = { diagnostics, workflow: null, tests: [], findings: [], coverage: null, exploration: null };
  if (workflow === null) return nothing;
  const program = tryCompile(workflow);
  if (program instanceof InvalidWorkflow) {
    const placed = program.diagnostics.map((found) => ({ ...found, file, ...locate(found.path ?? `nodes.${found.node_id}`) }));
    return { ...nothing, diagnostics: [...diagnostics, ...placed] };
  }
  const branches = new Branches(program);
  const inputs = branchInputsOf(program, branches);
  const workflows = inputs.environments.map((env) => ({ program, ways: branches, env }));
  const simulated: SimWorkflow = { program, ways: branches, env: {} };
  const results = tests.map((test) => runTest(simulated, test, nowMs));
  const tested = results.map(({ played }) => played.branches);
  const explored = explore(workflows, inputs, bounds.steps);
  const paths = pathsOf(explored, bounds.paths);
  const findings = findingsOf(simulated, inputs, explored, new Set(tested.flat()));
  return {
    diagnostics,
    workflow,
    tests: results,
    findings: findings.map(({ node, path, severity, code, message, hint }) => {
      return { severity, code, node_id: node, message, hint, ...locate(path) };
    }),
    coverage: coverageOf(branches, paths, tested),
    exploration: {
      situations: explored.nodes.length,
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

/** A graph can be too entangled to be compiled, which only compiling it shows. */
function tryCompile(workflow: Workflow): Program | InvalidWorkflow {
  try {
    return compile(workflow, '');
  } catch (error) {
    if (error instanceof InvalidWorkflow) return error;
    throw error;
  }
}

function runTest(world: SimWorkflow, test: AuthoredTest, nowMs: () => number): TestResult {
  const beganMs = nowMs();
  const played = play(world, test);
  const found = mismatches(test, played);
  const passed = test.problems.length === 0 && found.length === 0 && !played.cutShort;
  return { test, passed, mismatches: found, played, durationMs: nowMs() - beganMs };
}
