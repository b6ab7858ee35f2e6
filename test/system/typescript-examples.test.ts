import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { authoredOf, checkWorkflow, type WorkflowDefinition } from '../../src/index.ts';

/** Examples that are written in YAML and in TypeScript. */
const twins = readdirSync('examples').filter((name) => existsSync(join('examples', name, 'workflow.ts')));

describe('examples in TypeScript', () => {
  it('exist', () => expect(twins).toContain('order-fulfilment'));

  it.each(twins)('become the same document as in YAML, byte for byte: %s', async (name) => {
    const exported: object = await import(pathToFileURL(resolve('examples', name, 'workflow.ts')).href);
    const [definition] = Object.values(exported).filter((value) => authoredOf(value) !== null) as WorkflowDefinition[];
    const file = join('examples', name, 'workflow.yaml');
    const { document, diagnostics } = checkWorkflow(readFileSync(file, 'utf8'), file);
    expect(diagnostics).toEqual([]);
    expect(JSON.stringify(definition?.document)).toBe(JSON.stringify(document));
  });
});
