import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compile } from '../../../machines/compile/index.ts';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { JsonObject } from '../../../machines/json.ts';
import type { TimedEvent } from '../../../machines/replay/index.ts';
import { OverlayBuilder } from '../../../machines/views/overlay-builder.ts';
import { checkWorkflow } from '../../../src/authoring/check.ts';
import { historyEvents } from '../../support/golden.ts';
import { someOf } from '../../support/properties.ts';
import { tool, workflow } from '../../support/workflows.ts';
import { problems } from './real-tools.ts';

const EXAMPLES = readdirSync('examples', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));
/** Mermaid is slow. */
const GOLDEN = someOf(
  readdirSync('test/golden').filter((file) => file.endsWith('.json')),
  12,
);

describe('exports can be read by Mermaid, Graphviz and XState', () => {
  it.each(someOf(EXAMPLES))('example %s', async (file) => {
    const { workflows } = checkWorkflow(readFileSync(`examples/${file}`, 'utf8'), file);
    expect(workflows.length).toBeGreaterThan(0);
    for (const { document } of workflows) expect(await problems(compile(normalise(document).workflow, 'r'), null)).toEqual({});
  });

  it('executions, with their overlay', async () => {
    for (const file of GOLDEN) {
      const golden = JSON.parse(readFileSync(`test/golden/${file}`, 'utf8')) as { document: JsonObject; events: TimedEvent[] };
      const program = compile(normalise(golden.document).workflow, 'r');
      const builder = new OverlayBuilder(program);
      for (const event of historyEvents(golden.events)) builder.apply(event);
      expect([file, await problems(program, { id: null, overlay: builder.overlay, transitions: null })]).toEqual([file, {}]);
    }
  });

  it('names that are special in one of them', async () => {
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
    ];
    const nodes = names.map((name) => tool(name, { tool_ref: name }));
    const edges = names.slice(1).map((name, i) => [names[i] ?? '', name, `state.x == '${name}\r\n\t\u001b'`] as const);
    const program = compile(workflow(nodes, edges, { name: names.join('\n'), version: names.slice(0, 5).join(' ') }), 'r');
    expect(await problems(program, null)).toEqual({});
  });
});
