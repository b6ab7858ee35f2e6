import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';

const { exports, dependencies, peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, { readonly types: string } | string>>;
};
const ENTRIES = Object.entries(exports).flatMap(([name, target]) =>
  typeof target === 'string' ? [] : [{ name, file: resolve(target.types) }],
);
const MAIN = resolve('dist/bundle/src/index.d.ts');
const OWN = resolve('dist');

/** Types from which exported ones are made (`CallerRuntime`, `ScheduledWorkflow`, `Server`, `ToolContext`), or that only the client itself constructs. */
const INTERNAL = new Set([
  'CronJob',
  'PutCronJob',
  'Runtime',
  'RuntimeMemory',
  'RuntimeThreads',
  'Server',
  'Transport',
  'WorkContext',
]);

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

/** Reads the declarations of this package alone: those of other packages and of the language are ten times as many. */
function ownDeclarations(entries = ENTRIES): ts.Program {
  const options = { noLib: true, noEmit: true, types: [], module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2023 };
  const host = ts.createCompilerHost(options);
  host.resolveModuleNameLiterals = (literals, importer) =>
    literals.map(({ text }) => ({
      resolvedModule: text.startsWith('.') ? ts.resolveModuleName(text, importer, options, host).resolvedModule : undefined,
    }));
  return ts.createProgram(
    entries.map(({ file }) => file),
    options,
    host,
  );
}

describe('the types of the package', () => {
  let program: ts.Program;
  beforeAll(() => {
    program = ownDeclarations();
  });

  it.each(ENTRIES)('can be named by programs: $name', ({ file }) => expect(unexported(program, file)).toEqual([]));

  it.each([
    ['./server', ENTRIES, { ...dependencies, ...peerDependencies }],
    ['all others', ENTRIES.filter(({ name }) => name !== './server'), dependencies],
  ])('are made of those of packages that it depends on: %s', (_, entries, declared) => {
    const files = ownDeclarations(entries).getSourceFiles();
    const imported = files.flatMap(({ text }) => ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName));
    const packages = imported.filter((name) => !/^(\.|node:)/.test(name)).map((name) => /^(@[^/]+\/)?[^/]+/.exec(name)?.[0]);
    expect([...new Set(packages)].filter((name) => name === undefined || !(name in declared))).toEqual([]);
    expect(files.length).toBeGreaterThan(100);
  });
});
