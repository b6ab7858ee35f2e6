import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseWorkflow } from '../support/parse-workflow.ts';
import { compiled, problems } from './compile.ts';

const withTools = (tools: string) => `workflow: { id: w }\ntools:\n  ${tools}\nnodes: { a: {} }`;

describe('the tool catalog', () => {
  it('is copied', () => {
    expect(compiled(withTools('t: { kind: http, reference: "https://x/y", permissions: [write] }')).tools).toEqual({
      t: { kind: 'http', reference: 'https://x/y', permissions: ['write'] },
    });
  });

  it('accepts "ref" for "reference"', () => {
    expect(compiled(withTools('t: { kind: python, ref: "app.tools:f" }')).tools).toEqual({
      t: { kind: 'python', reference: 'app.tools:f' },
    });
  });

  it('has functions of files apart from the document', () => {
    const { document, localTools } = parseWorkflow(
      withTools('t: { kind: function, reference: "./lib/tools.mjs#f" }'),
      'flows/w.yaml',
    );
    expect(document?.tools).toEqual({});
    expect(localTools).toEqual({ t: { module: resolve('flows/lib/tools.mjs'), export: 'f' } });
  });

  it('names a function like its tool by default', () => {
    expect(parseWorkflow(withTools('t: { kind: function, reference: ./tools.mjs }'), '/flows/w.yaml').localTools).toEqual({
      t: { module: '/flows/tools.mjs', export: 't' },
    });
  });

  it('removes functions from a document too', () => {
    const text = JSON.stringify({
      ir: {
        workflow_id: 'w',
        version: '1',
        nodes: {},
        tools: { t: { kind: 'function', reference: './t.js#f' }, u: { kind: 'http', reference: 'r' } },
      },
    });
    const { document, localTools } = parseWorkflow(text, '/w.json');
    expect(document?.tools).toEqual({ u: { kind: 'http', reference: 'r' } });
    expect(localTools).toEqual({ t: { module: '/t.js', export: 'f' } });
  });

  it.each(['https://evil.example/x.mjs#f', 'node:fs#rm', '"data:text/javascript,0#f"', './tools.txt#f', '"#f"', 'tools.mjs#f'])(
    'refuses %s as a module',
    (reference) =>
      expect(problems(withTools(`t: { kind: function, reference: ${reference} }`))).toEqual(['3:35 error bad_reference']),
  );

  it.each(['../tools.mjs', './lib/../../tools.mjs#f', '/etc/tools.mjs#f'])(
    'refuses the module %s outside of the folder of the file',
    (reference) => {
      const { diagnostics } = parseWorkflow(withTools(`t: { kind: function, reference: "${reference}" }`), '/flows/w.yaml');
      expect(diagnostics.map(({ code, message }) => [code, message])).toEqual([
        ['bad_reference', `tool "t": ${reference.split('#', 1)[0]} is outside of the folder of the workflow, /flows`],
      ]);
    },
  );

  it('needs a reference for a function', () =>
    expect(problems(withTools('t: { kind: function }'))).toEqual(['3:3 error missing_key']));

  it('is a map of maps', () => expect(problems(withTools('t: ./tools.mjs#f'))).toEqual(['3:3 error wrong_type']));
});
