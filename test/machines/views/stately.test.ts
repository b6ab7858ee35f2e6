import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compile } from '../../../machines/compile/index.ts';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { JsonObject } from '../../../machines/json.ts';
import type { Program } from '../../../machines/step/program.ts';
import { toXState } from '../../../machines/views/xstate.ts';
import { checkWorkflow } from '../../../src/authoring/check.ts';
import { tool, workflow } from '../../support/workflows.ts';
import { outline, readByStately } from './stately-reader.ts';

const EXAMPLES = readdirSync('examples', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));
const GOLDEN = readdirSync('test/golden').filter((file, i) => file.endsWith('.json') && i % 4 === 1);

function exported(program: Program): JsonObject {
  return JSON.parse(JSON.stringify(toXState(program, null))) as JsonObject;
}

describe('an exported machine, in a file of code, is read by Stately’s own tools state for state', () => {
  it.each(EXAMPLES)('example %s', (file) => {
    const { workflows } = checkWorkflow(readFileSync(`examples/${file}`, 'utf8'), file);
    expect(workflows.length).toBeGreaterThan(0);
    for (const { document } of workflows) {
      const config = exported(compile(normalise(document).workflow, 'r'));
      expect(readByStately(config)).toEqual(outline(config));
    }
  });

  it('with every rule of the language', () => {
    for (const file of GOLDEN) {
      const { document } = JSON.parse(readFileSync(`test/golden/${file}`, 'utf8')) as { document: JsonObject };
      const config = exported(compile(normalise(document).workflow, 'r'));
      expect([file, readByStately(config)]).toEqual([file, outline(config)]);
    }
  });

  it('with names that mean something in code', () => {
    const names = ['a"b', "it's", '</script>', '// no comment', 'a.b', '#a', '`x`', '👩‍🚀', 'a\\nb'];
    const edges = names.slice(1).map((name, i) => [names[i] ?? '', name, `state.x == '"${i}'`] as const);
    const config = exported(
      compile(
        workflow(
          names.map((name) => tool(name)),
          edges,
        ),
        'r',
      ),
    );
    expect(readByStately(config)).toEqual(outline(config));
  });
});
