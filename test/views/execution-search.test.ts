import { describe, expect, it } from 'vitest';
import { searchesOf } from '../../src/views/execution-search.ts';
import { shortId } from '../../src/views/short-id.ts';

const ID = 'exec_01a214da15787ee327ea4f25120252f2';

describe('what is typed to find executions', () => {
  it.each([
    [ID, { id: ID.slice(5), label: null }],
    [` ${ID.toUpperCase().replace('EXEC', 'exec')} `, { id: ID.slice(5), label: null }],
    ['01a214da-1578-7ee3-27ea-4f25120252f2', { id: ID.slice(5), label: '01a214da-1578-7ee3-27ea-4f25120252f2' }],
    ['…120252f2', { id: '120252f2', label: '…120252f2' }],
    ['beef', { id: 'beef', label: 'beef' }],
    ['bee', { id: null, label: 'bee' }],
    ['customer=c42', { id: null, label: 'customer:c42' }],
    ['url:https://a.b/?q=1', { id: null, label: 'url:https://a.b/?q=1' }],
    ['customer=', { id: null, label: 'customer' }],
    ['=c42', { id: null, label: null }],
    ['  ', { id: null, label: null }],
  ])('%j is an id or a label', (typed, searches) => {
    expect(searchesOf(typed)).toEqual(searches);
  });

  it('finds an execution by its short id', () => {
    expect(searchesOf(shortId(ID)).id).toBe('120252f2');
  });
});
