import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';

const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly exports: Readonly<Record<string, { readonly types: string } | string>>;
};
const ENTRIES = Object.entries(exports).flatMap(([name, target]) =>
  typeof target === 'string' ? [] : [{ name, file: resolve(target.types) }],
);
const MAIN = resolve('dist/bundle/src/index.d.ts');
const OWN = resolve('dist');

/** Types from which exported ones are made (`CallerRuntime`, `Server`, `ToolContext`), or that only the client itself constructs. */
const INTERNAL = new Set(['Runtime', 'RuntimeMemory', 'Server', 'Transport', 'WorkContext']);

/**
 * The types of this package that the declarations of an entry's exports name, and that neither it nor the main entry exports: a program
 * cannot write their names. Those that a file keeps to itself are part of the declarations there, and generic ones are inferred.
 */
function unexported(program: ts.Program, entry: string): readonly string[] {
  const checker = program.getTypeChecker();
  const target = (symbol: ts.Symbol): ts.Symbol =>
    (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
  const exportsOf = (file: ts.SourceFile | undefined): ReadonlySet<ts.Symbol> => {
    const module = file && checker.getSymbolAtLocation(file);
    return new Set(module === undefined ? [] : checker.getExportsOfModule(module).map(target));
  };
  const exported = exportsOf(program.getSourceFile(entry));
  const known = new Set([...exported, ...exportsOf(program.getSourceFile(MAIN))]);
  const missing = new Set<string>();

  const check = (name: ts.Node): void => {
    const symbol = checker.getSymbolAtLocation(name);
    const declared = symbol && target(symbol);
    const [declaration] = declared?.declarations ?? [];
    if (declared === undefined || declaration === undefined || known.has(declared)) return;
    const file = declaration.getSourceFile();
    if (!file.fileName.startsWith(OWN) || !exportsOf(file).has(declared)) return;
    const { typeParameters = [] } = declaration as ts.DeclarationStatement & { typeParameters?: readonly unknown[] };
    if (typeParameters.length === 0 && !INTERNAL.has(declared.name))
      missing.add(`${declared.name} (${relative(OWN, file.fileName)})`);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isTypeReferenceNode(node)) check(node.typeName);
    if (ts.isExpressionWithTypeArguments(node)) check(node.expression);
    ts.forEachChild(node, visit);
  };
  const declarations = [...exported].flatMap(({ declarations: all = [] }) => all);
  for (const declaration of declarations) if (declaration.getSourceFile().fileName.startsWith(OWN)) visit(declaration);
  return [...missing].sort();
}

describe('the types of the package', () => {
  let program: ts.Program;
  beforeAll(() => {
    program = ts.createProgram(
      ENTRIES.map(({ file }) => file),
      {
        strict: true,
        noEmit: true,
        skipLibCheck: true,
        types: ['node'],
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.NodeNext,
        moduleResolution: ts.ModuleResolutionKind.NodeNext,
      },
    );
  });

  it.each(ENTRIES)('can be named by programs: $name', ({ file }) => expect(unexported(program, file)).toEqual([]));
});
