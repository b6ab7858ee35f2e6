import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { EVENT_TYPES } from '../../../machines/events/index.ts';
import { splitTokens, typeToken, typeTokens } from '../../../store/log/type-tokens.ts';

describe('the tokens of event types', () => {
  it('are one letter for every type', () => {
    const tokens = EVENT_TYPES.map(typeToken);
    expect(tokens.filter((token) => !/^[A-Zg-zΑ-Ωα-ω]$/.test(token))).toEqual([]);
    expect(new Set(tokens).size).toBe(tokens.length);
  });

  it('never change: they are stored', () => {
    const table = EVENT_TYPES.map((type) => `${type} ${typeToken(type)}`).sort();
    // Of a new type: add its letter, and this hash. Never change the letter of a released type.
    expect(hash('sha256', table.join('\n'), 'base64url')).toBe('bUqEe4IYCfyzxQozkiRcFrjV-UyIMBaZwV9uPYnekdE');
  });

  it('write out other types, without looking like a letter', () => {
    expect(typeToken('novelty')).toBe('{6e6f76656c7479}');
    expect(typeToken('constructor')).toMatch(/^\{[0-9a-f]+\}$/);
    expect(typeToken('')).toBe('{}');
  });

  it('are the same for text that the database replaces, before and after', () => {
    expect(typeToken('a\0\ud800')).toBe(typeToken('a\ufffd\ufffd'));
  });

  it('follow the order of the events', () => {
    const types = ['workflow_started', 'novelty', 'node_completed'];
    const tokens = typeTokens(types.map((type) => ({ type })));
    expect(tokens).toBe('A{6e6f76656c7479}L');
    expect(splitTokens(tokens)).toEqual(types.map(typeToken));
    expect(splitTokens('')).toEqual([]);
  });
});
