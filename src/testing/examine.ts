import { compile } from '../../machines/compile.ts';
import type { Workflow } from '../../machines/ir/workflow.ts';
import { checkTests } from '../authoring/check.ts';
import type { AuthoringDiagnostic } from '../authoring/diagnostic.ts';
import type { AuthoredTest } from '../authoring/tests.ts';
import { type Coverage, coverageOf } from './coverage.ts';
import { explore } from './explore.ts';
import { type FindingCode, findingsOf, type Severity } from './findings.ts';
import { pathsOf, pathText } from './paths.ts';
import { type Played, play } from './play.ts';
import type { World } from './scene.ts';
import { type Mismatch, mismatches } from './verdict.ts';
import { Ways } from './ways.ts';
import { wishesOf } from './wishes.ts';

/** How far to look. */
export interface Bounds {
  /** Different paths told apart. */
  readonly paths: number;
  /** Steps of simulated runs, scripted ones aside. */
  readonly steps: number;
}

/** Everything that is to be said of one workflow file. */
export interface Examined {
  /** What the file and the document have wrong, as `validate` tells it. */
  readonly diagnostics: readonly AuthoringDiagnostic[];
  /** Null when the file is not valid. */
  readonly workflow: Workflow | null;
  readonly tests: readonly TestResult[];
  readonly findings: readonly PlacedFinding[];
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
  readonly mismatches: readonly Mismatch[];
  readonly played: Played;
  readonly durationMs: number;
}

export interface PlacedFinding {
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
export function examine(text: string, file: string, bounds: Bounds, nowMs: () => number): Examined {
  const { authored, workflow, tests, locate } = checkTests(text, file);
  const { diagnostics } = authored;
  const nothing = { diagnostics, workflow: null, tests: [], findings: [], coverage: null, exploration: null };
  if (workflow === null) return nothing;
  const program = compile(workflow, '');
  const ways = new Ways(program);
  const wishes = wishesOf(program, ways);
  const worlds = wishes.environments.map((env) => ({ program, ways, env }));
  const world: World = { program, ways, env: {} };
  const results = tests.map((test) => resultOf(world, test, nowMs));
  const tested = results.map(({ played }) => played.ways);
  const explored = explore(worlds, wishes, bounds.steps);
  const paths = pathsOf(explored, bounds.paths);
  const findings = findingsOf(world, wishes, explored, new Set(tested.flat()));
  return {
    diagnostics,
    workflow,
    tests: results,
    findings: findings.map(({ node, path, severity, code, message, hint }) => {
      return { severity, code, node_id: node, message, hint, ...locate(path) };
    }),
    coverage: coverageOf(ways, paths, tested),
    exploration: {
      situations: explored.situations.length,
      steps: explored.steps,
      paths: paths.paths.map(pathText),
      bounded: [
        ...(explored.bounded ? ['steps' as const] : []),
        ...(paths.bounded ? ['paths' as const] : []),
        ...(wishes.bounded ? ['values' as const] : []),
      ],
    },
  };
}

function resultOf(world: World, test: AuthoredTest, nowMs: () => number): TestResult {
  const beganMs = nowMs();
  const played = play(world, test);
  const found = mismatches(test, played);
  const passed = test.problems.length === 0 && found.length === 0 && !played.cutShort;
  return { test, passed, mismatches: found, played, durationMs: nowMs() - beganMs };
}
