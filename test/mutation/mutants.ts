import ts from 'typescript';
import { changesOf } from './mutators.ts';

/** One planted bug. */
export interface Mutant {
  readonly id: number;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly mutator: string;
  readonly start: number;
  readonly end: number;
  readonly statement: boolean;
  readonly original: string;
  readonly text: string;
}

/** `file:line:column mutator original → text`; the same in each run on the same source. */
export function describeMutant(mutant: Mutant): string {
  const shortened = (text: string) => text.replace(/\s+/g, ' ').slice(0, 100);
  const changed = mutant.statement || mutant.text === '' ? 'removed' : shortened(mutant.text);
  return `${mutant.file}:${mutant.line}:${mutant.column} ${mutant.mutator}: ${shortened(mutant.original)} → ${changed}`;
}

export function mutantsOf(file: string, source: string): Omit<Mutant, 'id'>[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.ES2023, true);
  const found: Omit<Mutant, 'id'>[] = [];
  visit(tree);
  return found;

  function visit(node: ts.Node): void {
    if (isCosmetic(node)) return;
    for (const { mutator, node: changed, text } of changesOf(node)) {
      if (isAssigned(changed)) continue;
      const start = changed.getStart(tree);
      const { line, character } = tree.getLineAndCharacterOfPosition(start);
      const statement = ts.isStatement(changed);
      const place = { file, line: line + 1, column: character + 1, start, end: changed.end };
      found.push({ ...place, mutator, statement, original: changed.getText(tree), text });
    }
    ts.forEachChild(node, visit);
  }
}

/** Types and imports do not run; texts of errors and logs are no behaviour that a test has to fix. */
function isCosmetic(node: ts.Node): boolean {
  if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isTypeAliasDeclaration(node)) return true;
  if (ts.isInterfaceDeclaration(node)) return true;
  if (ts.isNewExpression(node)) return /Error$/.test(node.expression.getText());
  if (ts.isPropertyAssignment(node) || ts.isPropertyDeclaration(node)) return false;
  return ts.isCallExpression(node) && /\blog(ger)?\??\.(debug|info|warn|error)$/.test(node.expression.getText());
}

/** Names of properties, and targets of assignments and `delete`, cannot be replaced by a choice. */
function isAssigned(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isMethodDeclaration(parent)) {
    return parent.name === node;
  }
  if (ts.isDeleteExpression(parent)) return true;
  const assigns =
    ts.isBinaryExpression(parent) &&
    parent.operatorToken.kind >= ts.SyntaxKind.FirstAssignment &&
    parent.operatorToken.kind <= ts.SyntaxKind.LastAssignment;
  return assigns && parent.left === node;
}
