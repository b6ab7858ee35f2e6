import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { authoredOf, checkWorkflow, type WorkflowDefinition } from '../../src/index.ts';

/** Examples that are written in YAML and in TypeScript. */
const twins = readdirSync('examples').flatMap((name) =>
  ['workflow', 'agent'].map((file) => join('examples', name, file)).filter((path) => existsSync(`${path}.ts`)),
);

describe('examples in TypeScript', () => {
  it('exist', () => expect(twins).toContain('examples/order-fulfilment/workflow'));

  it.each(twins)('become the same document as in YAML, byte for byte: %s', async (path) => {
    const exported: object = await import(pathToFileURL(resolve(`${path}.ts`)).href);
    const [definition] = Object.values(exported).filter((value) => authoredOf(value) !== null) as WorkflowDefinition[];
    const file = `${path}.yaml`;
    const { document, diagnostics } = checkWorkflow(readFileSync(file, 'utf8'), file);
    expect(diagnostics).toEqual([]);
    expect(JSON.stringify(definition?.document)).toBe(JSON.stringify(document));
  });
});
