import { FILTERS, FUNCTIONS, METHODS } from './functions.ts';
import { childrenOf, type Fact, type Root, type SyntaxTree } from './syntax-tree.ts';

/** Something an expression reads. */
export interface Reference {
  /** `bare`: looked for in the output, then in the state. */
  readonly root: Root | Fact | 'bare';
  /** The keys that are certain: `state.a[0][state.i]` → `a`, `0`. */
  readonly path: readonly string[];
}

export function referencesIn(tree: SyntaxTree): readonly Reference[] {
  const found: Reference[] = [];
  const visit = (part: SyntaxTree): void => {
    const reference = referenceOf(part);
    if (reference !== null) found.push(reference);
    else for (const child of childrenOf(part)) visit(child);
  };
  visit(tree);
  return found;
}

/** The reference that a chain of members is. Dynamic keys inside the chain are expressions of their own. */
function referenceOf(tree: SyntaxTree): Reference | null {
  switch (tree.type) {
    case 'root':
      return { root: tree.root, path: [] };
    case 'fact':
      return { root: tree.fact, path: [] };
    case 'name':
      return { root: 'bare', path: [tree.name] };
    case 'member': {
      if (tree.key.type !== 'literal') return null;
      const of = referenceOf(tree.of);
      return of === null ? null : { root: of.root, path: [...of.path, String(tree.key.value)] };
    }
    case 'method': {
      // `state.get('a')` reads `a`.
      const [key] = tree.args;
      if (tree.name !== 'get' || tree.args.length !== 1 || key?.type !== 'literal') return null;
      const of = referenceOf(tree.of);
      return of === null ? null : { root: of.root, path: [...of.path, String(key.value)] };
    }
    default:
      return null;
  }
}

export interface UnknownOperation {
  readonly what: 'function' | 'method' | 'filter';
  readonly name: string;
  readonly known: readonly string[];
}

const OPERATIONS = { call: ['function', FUNCTIONS], method: ['method', METHODS], filter: ['filter', FILTERS] } as const;

export function unknownOperationsIn(tree: SyntaxTree): readonly UnknownOperation[] {
  const rest = childrenOf(tree).flatMap(unknownOperationsIn);
  if (tree.type !== 'call' && tree.type !== 'method' && tree.type !== 'filter') return rest;
  const [what, operations] = OPERATIONS[tree.type];
  return operations.has(tree.name) ? rest : [{ what, name: tree.name, known: [...operations.keys()] }, ...rest];
}
