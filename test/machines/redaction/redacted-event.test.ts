import { describe, expect, it } from 'vitest';
import { EVENT_TYPES, EVENTS } from '../../../machines/events/index.ts';
import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { KnownValues } from '../../../machines/redaction/known-values.ts';
import { redactedData } from '../../../machines/redaction/redacted-event.ts';
import { Redactor } from '../../../machines/redaction/redactor.ts';

const MAIL = 'ann@example.com';
const redactor = new Redactor({ paths: [], detectors: ['email'], mode: 'mask' }, KnownValues.of([], []));

/** Texts that are the runtime's, or names that are there to be searched: ids, names of workflows, nodes and actors. */
const NAMES: ReadonlySet<string> = new Set([
  'workflow_id',
  'workflow_version',
  'continued_from',
  'node_id',
  'nodes',
  'decisions',
  'origin',
  'worker_id',
  'taken',
  'from',
  'to',
  'source',
  'route',
  'action',
  'user_id',
  'child_execution_id',
  'child_workflow_id',
  'continues',
  'next_execution_id',
  'limit_type',
  'decision',
  'matched',
  'approver',
  'escalation_target',
  'strategy',
  // Numbers of the document, and counts.
  'limit_value',
  'actual_value',
]);

/** A value of the schema with a mail address in every text; null = it has no free text. */
function withMail(schema: unknown): Json | null {
  const { type, enum: choices, format, anyOf, items, properties } = schema as Record<string, unknown>;
  if (choices !== undefined || format !== undefined) return null;
  if (Array.isArray(anyOf)) return anyOf.map(withMail).find((value) => value !== null) ?? null;
  if (type === 'array') return [withMail(items)].filter((value) => value !== null);
  if (isObject(properties as Json))
    return Object.fromEntries(Object.entries(properties as JsonObject).map(([key, inner]) => [key, withMail(inner)]));
  if (type === undefined || type === 'object') return { [MAIL]: MAIL };
  return type === 'string' ? `of ${MAIL}` : null;
}

describe('the data of an event', () => {
  it.each(EVENT_TYPES)('has no personal data in any text of %s but names', (type) => {
    const { properties } = EVENTS[type].data;
    for (const [field, schema] of Object.entries(properties)) {
      const value = NAMES.has(field) ? null : withMail(schema);
      if (value === null || field === 'appended') continue;
      expect(JSON.stringify(redactedData(redactor, { [field]: value })), field).not.toContain(MAIL);
    }
  });

  it('keeps names, ids and numbers', () => {
    const data = { user_id: MAIL, workflow_id: MAIL, duration_ms: 4012888888881881, attempt: 1 };
    expect(redactedData(redactor, data)).toBe(data);
  });

  it('leaves what a model has said out of calls that were rejected and of handoffs, where outputs are not retained', () => {
    const handoff = { from: 'triage', to: 'billing', reason: 'an invoice', activation: 1 };
    expect(redactedData(redactor, handoff)).toBe(handoff);
    expect(redactedData(redactor, handoff, false)).toEqual({ ...handoff, reason: '[REDACTED]' });
    const rejected = { tool: 'find', problem: 'number is required', repair: 1, activation: 1 };
    expect(redactedData(redactor, rejected)).toBe(rejected);
    expect(redactedData(redactor, rejected, false)).toEqual({ ...rejected, problem: '[REDACTED]' });
    const skipped = { reason: 'branch not taken', activation: 1 };
    expect(redactedData(redactor, skipped, false)).toBe(skipped);
  });

  it('names appended lists as the patch does', () => {
    const list = { kept: 2, since: 3 };
    const data = { state_patch: { 'a/b': { [MAIL]: [1] } }, appended: { [`/a~1b/${MAIL}`]: list } };
    expect(redactedData(redactor, data)).toEqual({
      state_patch: { 'a/b': { '[REDACTED]': [1] } },
      appended: { '/a~1b/[REDACTED]': list },
    });
    const plain = { appended: { '/a~1b/c': list } };
    expect(redactedData(redactor, plain)).toBe(plain);
  });
});
