import { FILTERS, FUNCTIONS, METHODS } from './functions.ts';
import { childrenOf, type Fact, type Root, type SyntaxTree } from './syntax-tree.ts';

/** A value that an expression reads. */
export interface Reference {
  /** `bare`: a key of the output, else of the state. */
  readonly root: Root | Fact | 'bare';
  /** The constant keys up to the first dynamic one: `state.a[0][state.i]` → `a`, `0`. */
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

/** The reference of a chain of member accesses; null for any other tree. Dynamic keys inside the chain are visited on their own. */
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
