import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile, type Program } from '../../../machines/compile.ts';
import { InvalidWorkflow } from '../../../machines/diagnostics.ts';
import { toDot } from '../../../machines/export/dot.ts';
import { Happenings } from '../../../machines/export/happenings.ts';
import { machinePicture } from '../../../machines/export/machine-picture.ts';
import type { Marks } from '../../../machines/export/marks.ts';
import { toMermaid } from '../../../machines/export/mermaid.ts';
import { workflowPicture } from '../../../machines/export/workflow-picture.ts';
import { toXState } from '../../../machines/export/xstate.ts';
import type { TimedEvent } from '../../../machines/fold.ts';
import { analyse } from '../../../machines/graph.ts';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { JsonObject } from '../../../machines/json.ts';
import { checkWorkflow } from '../../../src/authoring/check.ts';
import { documents, tool, workflow } from '../../support/workflows.ts';
import { graphvizProblem, mermaidProblem, xstateProblem } from './real-tools.ts';

/** What the real tools have against the exports of a machine, by format. */
async function problems(program: Program, marks: Marks | null): Promise<Readonly<Record<string, string>>> {
  const pictures = { workflow: workflowPicture(program, marks), machine: machinePicture(program, marks) };
  const found = await Promise.all(
    Object.entries(pictures).flatMap(([view, picture]) => [
      mermaidProblem(toMermaid(picture)).then((problem) => [`${view} as mermaid`, problem] as const),
      graphvizProblem(toDot(picture)).then((problem) => [`${view} as dot`, problem] as const),
    ]),
  );
  const asXState = ['xstate', xstateProblem(JSON.parse(JSON.stringify(toXState(program, marks))))] as const;
  return Object.fromEntries([...found, asXState].flatMap(([format, problem]) => (problem === null ? [] : [[format, problem]])));
}

const EXAMPLES = readdirSync('examples', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));
const GOLDEN = readdirSync('test/golden').filter((file) => file.endsWith('.json'));

describe('what is exported is read by Mermaid, Graphviz and XState', () => {
  it.each(EXAMPLES)('example %s', async (file) => {
    const { document } = checkWorkflow(readFileSync(`examples/${file}`, 'utf8'), file);
    expect(await problems(compile(normalise(document).workflow, 'r'), null)).toEqual({});
  });

  it('executions of every rule, with what has happened', async () => {
    for (const file of GOLDEN) {
      const golden = JSON.parse(readFileSync(`test/golden/${file}`, 'utf8')) as { document: JsonObject; events: TimedEvent[] };
      const program = compile(normalise(golden.document).workflow, 'r');
      const happenings = new Happenings(program);
      for (const event of golden.events) happenings.apply(event);
      expect([file, await problems(program, happenings.marks)]).toEqual([file, {}]);
    }
  });

  it('200 random workflows', async () => {
    let drawn = 0;
    for (const document of fc.sample(documents(12), { numRuns: 1_000, seed: 7 })) {
      const read = normalise(document).workflow;
      if (analyse(read).graph === null) continue;
      let program: Program;
      try {
        program = compile(read, 'r');
      } catch (error) {
        if (error instanceof InvalidWorkflow) continue;
        throw error;
      }
      expect([document, await problems(program, null)]).toEqual([document, {}]);
      drawn += 1;
      if (drawn === 200) break;
    }
    expect(drawn).toBe(200);
  }, 60_000);

  it('names that mean something to one of them', async () => {
    const names = [
      '</script><script>alert(1)</script>',
      `"quoted" 'twice' \`thrice\``,
      '%%{init: {}}%% %',
      'style x:y#red;',
      'classDef a fill:#f00;',
      '\u202egnp.exe',
      'שלום العربية',
      '👩‍🚀 🇩🇪',
      '-->|x| a & b; c --- d',
      '\\n \\" \\\\',
      '<table><tr>&lt;&amp;&#35;',
      '[[({})]] :::class ::fa',
      '---',
      '\ud800 lone',
      'constructor',
    ];
    const nodes = names.map((name) => tool(name, { tool_ref: name }));
    const edges = names.slice(1).map((name, i) => [names[i] ?? '', name, `state.x == '${name}\r\n\t\u001b'`] as const);
    const program = compile(workflow(nodes, edges, { name: names.join('\n'), version: names.slice(0, 5).join(' ') }), 'r');
    expect(await problems(program, null)).toEqual({});
  });
});
