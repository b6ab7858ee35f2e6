import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { irSchema, type JsonSchema } from '../../../machines/ir/schema.ts';
import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { KIND_NAMES, KINDS } from '../../../machines/nodes/index.ts';
import { validate } from '../../../machines/validate/index.ts';
import { parseWorkflow } from '../../support/parse-workflow.ts';

const schema = irSchema();
const ajv = new Ajv2020({ strict: false, allErrors: true });
const fits = ajv.compile(schema);

function problemsOf(document: Json): readonly string[] {
  return fits(document) ? [] : (fits.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file));
}

/** Documents of the repository, by file. */
function* documents(): Generator<readonly [string, JsonObject]> {
  for (const file of [...filesIn('test/golden'), ...filesIn('test/authoring/golden')]) {
    if (!file.endsWith('.json')) continue;
    const read = JSON.parse(readFileSync(file, 'utf8')) as Json;
    const document = isObject(read) && isObject(read.document) ? read.document : read;
    if (isObject(document) && document.nodes !== undefined) yield [file, document];
  }
  for (const file of filesIn('examples')) {
    if (!file.endsWith('.yaml')) continue;
    for (const { document } of parseWorkflow(readFileSync(file, 'utf8'), file).workflows) yield [file, document];
  }
}

describe('the JSON Schema of workflow documents', () => {
  it('accepts every golden document and example', () => {
    const found = [...documents()];
    expect(found.length).toBeGreaterThan(30);
    for (const [file, document] of found) expect([file, problemsOf(document)]).toEqual([file, []]);
  });

  it('has a definition for each kind, told apart by its type', () => {
    const { $defs } = schema;
    const { mapping } = ($defs.NodeKind as { discriminator: { mapping: Record<string, string> } }).discriminator;
    for (const name of KIND_NAMES) {
      const definition = $defs[mapping[name]?.replace('#/$defs/', '') ?? ''];
      expect(definition).toBeDefined();
      const { properties } = KINDS[name].schema as unknown as { properties: JsonSchema };
      expect(Object.keys(definition?.properties as JsonSchema)).toEqual(expect.arrayContaining(Object.keys(properties)));
    }
    expect(mapping.branch).toBe(mapping.condition);
  });

  it('describes every property', () => {
    const missing: string[] = [];
    const visit = (part: unknown, path: string): void => {
      if (part === null || typeof part !== 'object') return;
      const { type, properties } = part as {
        type?: unknown;
        properties?: Record<string, { description?: string; $ref?: string }>;
      };
      if (type === 'object' && properties !== undefined)
        for (const [key, property] of Object.entries(properties))
          if (property.description === undefined && property.$ref === undefined) missing.push(`${path}.${key}`);
      for (const [key, inner] of Object.entries(part)) visit(inner, `${path}/${key}`);
    };
    visit(schema, '');
    expect(missing).toEqual([]);
  });

  it('refers to its definitions as the caller says', () => {
    const text = JSON.stringify(irSchema((name) => `#/components/schemas/${name}`));
    expect(text).toContain('"#/components/schemas/NodeKind"');
    expect(text).not.toContain('"#/$defs');
  });

  const base = { workflow_id: 'w', version: '1', nodes: { a: { kind: { type: 'tool', tool_ref: 't' } } } };
  const kind = (given: Json): JsonObject => ({ ...base, nodes: { a: { kind: given } } });

  it.each<[string, Json]>([
    ['no object', []],
    ['no nodes', { workflow_id: 'w', version: '1' }],
    ['empty nodes', { ...base, nodes: {} }],
    ['nodes that are a text', { ...base, nodes: 'a' }],
    ['a node that is no object', { ...base, nodes: { a: 'tool' } }],
    ['a node without a kind', { ...base, nodes: { a: {} } }],
    ['an unknown kind', kind({ type: 'toool' })],
    ['a coordinator without a task', kind({ type: 'coordinator' })],
    ['a tool without a name', kind({ type: 'tool' })],
    ['a mapping that is a list', kind({ type: 'tool', tool_ref: 't', input_mapping: [] })],
    ['an unknown HTTP method', kind({ type: 'http', url: 'http://x', method: 'BREW' })],
    ['a duration in words', kind({ type: 'wait', timeout_secs: 'soon' })],
    ['a negative duration', kind({ type: 'wait', timeout_secs: -1 })],
    ['an unknown condition of a wait', kind({ type: 'wait', condition: 'luck' })],
    ['branches that are names', kind({ type: 'condition', branches: ['a'] })],
    ['a branch without a target', kind({ type: 'condition', branches: [{ condition: 'state.x' }] })],
    ['wait_for that is no list', kind({ type: 'join', wait_for: 'a' })],
    ['an unknown merge strategy', kind({ type: 'join', merge_strategy: 'last' })],
    ['edges that are a map', { ...base, edges: {} }],
    ['an edge without a target', { ...base, edges: [{ from: 'a' }] }],
    ['a label that is a number', { ...base, labels: { a: 1 } }],
    ['no attempts', { ...base, nodes: { a: { ...base.nodes.a, retry: { max_attempts: 0 } } } }],
    ['an unknown backoff', { ...base, nodes: { a: { ...base.nodes.a, retry: { backoff: 'fibonacci' } } } }],
    ['a negative budget', { ...base, cost_budget_usd: -1 }],
    ['an end of a budget that is no text', { ...base, cost_budget_usd: 1, on_budget_exceeded: 3 }],
  ])('refuses, as the validation does, %s', (_, document) => {
    expect(validate(document).workflow).toBe(null);
    expect(problemsOf(document)).not.toEqual([]);
  });

  it.each<[string, Json]>([
    ['the other spellings of keys', kind({ type: 'tool', ref: 't', arguments: {} })],
    ['null for what is absent', kind({ type: 'wait', timeout_secs: null, event: 'paid', on_timeout: null })],
    ['a list of nodes', { ...base, nodes: [{ id: 'a', ...base.nodes.a }] }],
    ['durations as texts', kind({ type: 'human_approval', timeout: '1.5h' })],
    ['the alias of a kind', { ...kind({ type: 'branch', conditions: [{ if: 'state.x', to: 'end' }], default: 'end' }) }],
    ['unknown keys', { ...base, team: 'payments' }],
    [
      'a retry policy by name and one in place',
      { ...base, nodes: { a: { ...base.nodes.a, retry_policy: 'fast', retry: { delay: '2s' } } } },
    ],
  ])('accepts, as the validation does, %s', (_, document) => {
    expect(validate(document).workflow).not.toBe(null);
    expect(problemsOf(document)).toEqual([]);
  });
});
