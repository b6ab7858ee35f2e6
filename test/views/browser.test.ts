import { describe, expect, it } from 'vitest';
import { browserBundle } from '../support/browser-bundle.ts';

const KB = 1024;

describe('the views in a browser', () => {
  it.each([
    ['spans.ts', 6],
    ['state-diff.ts', 2],
    // What reads a document has the schemas of all kinds of nodes. A page loads it when it shows a graph.
    ['graph.ts', 90],
    ['live-model.ts', 90],
    ['workflow-diff.ts', 90],
  ])('have no module of Node and no XState: %s', async (name, most) => {
    const { builtins, modules, gzipBytes } = await browserBundle(`src/views/${name}`);
    expect(builtins).toEqual([]);
    expect(modules.filter((id) => /node_modules\/(xstate|@noble)/.test(id))).toEqual([]);
    expect(gzipBytes).toBeLessThan(most * KB);
  });
});
