import ts from 'typescript';
import type { Mutant } from './mutants.ts';

/** Text around a range of the source. */
interface Wrap {
  readonly start: number;
  readonly end: number;
  readonly before: string;
  readonly after: string;
}

/**
 * The source with all its mutants behind a switch, so that it is transformed and loaded once for all of them. Every loop
 * counts its rounds: a mutant that never ends is found by a count, which does not depend on the machine's load.
 */
export function instrument(file: string, source: string, mutants: readonly Mutant[]): string {
  const wraps = [...loopBodies(file, source), ...mutants.map(switched)];
  const order = new Map(wraps.map((wrap, i) => [wrap, i]));
  const rank = (wrap: Wrap) => order.get(wrap) ?? 0;
  // Ranges are nodes of one tree: they nest. The outer one opens first and closes last.
  const opens = wraps.toSorted((a, b) => a.start - b.start || b.end - a.end || rank(a) - rank(b));
  const closes = wraps.toSorted((a, b) => a.end - b.end || b.start - a.start || rank(b) - rank(a));
  let text = '';
  let from = 0;
  const insert = (at: number, inserted: string) => {
    text += source.slice(from, at) + inserted;
    from = at;
  };
  let closed = 0;
  const closeUntil = (at: number) => {
    for (let wrap = closes[closed]; wrap !== undefined && wrap.end <= at; wrap = closes[closed]) {
      insert(wrap.end, wrap.after);
      closed += 1;
    }
  };
  for (const wrap of opens) {
    closeUntil(wrap.start);
    insert(wrap.start, wrap.before);
  }
  closeUntil(source.length);
  return text + source.slice(from);
}

function switched({ id, start, end, statement, text }: Mutant): Wrap {
  return statement
    ? { start, end, before: `{ if (!__mutant(${id})) {`, after: '} }' }
    : { start, end, before: `(__mutant(${id}) ? (${text}) : (`, after: '))' };
}

function loopBodies(file: string, source: string): Wrap[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.ES2023, true);
  const bodies: Wrap[] = [];
  visit(tree);
  return bodies;

  function visit(node: ts.Node): void {
    if (ts.isIterationStatement(node, false)) {
      const { statement } = node;
      bodies.push({ start: statement.getStart(tree), end: statement.end, before: '{ __round(); ', after: ' }' });
    }
    ts.forEachChild(node, visit);
  }
}
