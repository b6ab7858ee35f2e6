import type { Json } from '../json.ts';

export const ROOTS = ['state', 'output', 'input', 'env'] as const;
export type Root = (typeof ROOTS)[number];

/** Facts about the execution that templates can read. */
export const FACTS = ['execution.id', 'execution.workflow_id', 'node.id', 'workflow.id', 'workflow.version'] as const;
export type Fact = (typeof FACTS)[number];

/** Version of the expression language. An execution keeps the version that it was started with, so that its log replays. */
export const LANGUAGE = 1;

export type BinaryOperator = 'or' | 'and' | '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | '+' | '-' | '*' | '/' | '%';

export type SyntaxTree =
  | { readonly type: 'literal'; readonly value: Json }
  | { readonly type: 'list'; readonly items: readonly SyntaxTree[] }
  | { readonly type: 'object'; readonly entries: readonly (readonly [string, SyntaxTree])[] }
  | { readonly type: 'root'; readonly root: Root }
  | { readonly type: 'fact'; readonly fact: Fact }
  /** A bare name: a key of the output, else of the state. */
  | { readonly type: 'name'; readonly name: string }
  | { readonly type: 'member'; readonly of: SyntaxTree; readonly key: SyntaxTree }
  | { readonly type: 'call'; readonly name: string; readonly args: readonly SyntaxTree[] }
  | { readonly type: 'method'; readonly name: string; readonly of: SyntaxTree; readonly args: readonly SyntaxTree[] }
  | { readonly type: 'filter'; readonly name: string; readonly of: SyntaxTree; readonly args: readonly SyntaxTree[] }
  | { readonly type: 'not'; readonly of: SyntaxTree }
  | { readonly type: 'negate'; readonly of: SyntaxTree }
  | { readonly type: 'binary'; readonly operator: BinaryOperator; readonly left: SyntaxTree; readonly right: SyntaxTree }
  /** `then if test else otherwise`. */
  | { readonly type: 'choice'; readonly test: SyntaxTree; readonly then: SyntaxTree; readonly otherwise: SyntaxTree };

export function childrenOf(tree: SyntaxTree): readonly SyntaxTree[] {
  switch (tree.type) {
    case 'literal':
    case 'root':
    case 'fact':
    case 'name':
      return [];
    case 'list':
      return tree.items;
    case 'object':
      return tree.entries.map(([, value]) => value);
    case 'member':
      return [tree.of, tree.key];
    case 'call':
      return tree.args;
    case 'method':
    case 'filter':
      return [tree.of, ...tree.args];
    case 'not':
    case 'negate':
      return [tree.of];
    case 'binary':
      return [tree.left, tree.right];
    case 'choice':
      return [tree.test, tree.then, tree.otherwise];
  }
}
