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
type Entry = (typeof ENTRIES)[number];
const MAIN = resolve('dist/bundle/src/index.d.ts');
const OWN = resolve('dist');

const isOwn = ({ declarations = [] }: ts.Symbol): boolean =>
  declarations.some((declaration) => declaration.getSourceFile().fileName.startsWith(OWN));

/** What an entry exports, under the name that it has there. */
function exportsOf(program: ts.Program, file: string): ReadonlyMap<ts.Symbol, ts.Symbol> {
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(file) as ts.SourceFile);
  const symbols = module === undefined ? [] : checker.getExportsOfModule(module);
  return new Map(symbols.map((symbol) => [targetOf(checker, symbol), symbol]));
}

function targetOf(checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol {
  return (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
}

/**
 * The types of this package that the declarations of an entry's exports name, and that neither it nor the main entry exports: a program
 * cannot write their names. A type that an exported one extends is a part of it, and what a type computes is shown in its place.
 */
function unexported(program: ts.Program, { file }: Entry): readonly string[] {
  const checker = program.getTypeChecker();
  const exported = exportsOf(program, file);
  const known = new Set([...exported.keys(), ...exportsOf(program, MAIN).keys()]);
  const missing = new Set<string>();
  const visited = new Set<ts.Symbol>();

  const ownSymbol = (at: ts.Node): ts.Symbol | null => {
    const symbol = checker.getSymbolAtLocation(at);
    const declared = symbol && targetOf(checker, symbol);
    return declared === undefined || !isOwn(declared) || (declared.flags & ts.SymbolFlags.TypeParameter) !== 0 ? null : declared;
  };
  const isComputed = (symbol: ts.Symbol): boolean =>
    (symbol.declarations ?? []).some((declaration) => {
      if (!ts.isTypeAliasDeclaration(declaration) || declaration.typeParameters === undefined) return false;
      const { type } = declaration;
      if (!ts.isTypeReferenceNode(type)) return ts.isConditionalTypeNode(type) || ts.isMappedTypeNode(type);
      const other = ownSymbol(type.typeName);
      return other !== null && isComputed(other);
    });
  const check = (at: ts.Node): void => {
    const symbol = ownSymbol(at);
    if (symbol !== null && !known.has(symbol) && !isComputed(symbol))
      missing.add(`${symbol.name} (${relative(OWN, symbol.declarations?.[0]?.getSourceFile().fileName ?? '')})`);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isHeritageClause(node)) {
      for (const type of node.types) visitExtended(type, ALL);
      return;
    }
    // Programs do not construct what is exported as a type alone.
    if (ts.isConstructorDeclaration(node) && node.parent.name !== undefined && isTypeAlone(ownSymbol(node.parent.name))) return;
    if (ts.isTypeReferenceNode(node)) check(node.typeName);
    if (ts.isImportTypeNode(node) && node.qualifier !== undefined) check(node.qualifier);
    ts.forEachChild(node, visit);
  };
  const visitExtended = (type: ts.Node, isSelected: Selection): void => {
    if (!ts.isExpressionWithTypeArguments(type) && !ts.isTypeReferenceNode(type)) return;
    const name = ts.isTypeReferenceNode(type) ? type.typeName : type.expression;
    const symbol = ownSymbol(name);
    if (symbol !== null && (symbol.flags & ts.SymbolFlags.Variable) === 0) visitSymbol(symbol, isSelected);
    const [of, keys] = type.typeArguments ?? [];
    if (of === undefined) return;
    const names = keys === undefined ? [] : [...keys.getText().matchAll(/['"](\w+)['"]/g)].map(([, key]) => key);
    const chosen: Readonly<Record<string, Selection>> = {
      Omit: (key) => !names.includes(key),
      Pick: (key) => names.includes(key),
    };
    visitExtended(of, chosen[name.getText()] ?? ALL);
  };
  const isTypeAlone = (symbol: ts.Symbol | null): boolean => {
    const [specifier] = (symbol && exported.get(symbol)?.declarations) ?? [];
    return specifier !== undefined && ts.isTypeOnlyExportDeclaration(specifier);
  };
  const visitSymbol = (symbol: ts.Symbol, isSelected = ALL): void => {
    if (visited.has(symbol)) return;
    if (isSelected === ALL) visited.add(symbol);
    for (const declaration of symbol.declarations ?? []) {
      if (isSelected === ALL || !ts.isInterfaceDeclaration(declaration)) visit(declaration);
      else for (const member of declaration.members) if (isSelected(member.name?.getText())) visit(member);
    }
  };
  for (const symbol of exported.keys()) if (isOwn(symbol)) visitSymbol(symbol);
  return [...missing].sort();
}

type Selection = (member: string | undefined) => boolean;
const ALL: Selection = () => true;

/** What is exported as a type and is a value alone: `typeof` is all that a program can do with it. */
function unusable(program: ts.Program, { file }: Entry): readonly string[] {
  const checker = program.getTypeChecker();
  const statements = program.getSourceFile(file)?.statements.filter(ts.isExportDeclaration) ?? [];
  const types = statements.flatMap(({ isTypeOnly, exportClause, moduleSpecifier }) => {
    if (exportClause !== undefined && ts.isNamedExports(exportClause))
      return exportClause.elements.flatMap((one) =>
        isTypeOnly || one.isTypeOnly ? [checker.getSymbolAtLocation(one.name)] : [],
      );
    const module = isTypeOnly && moduleSpecifier !== undefined && checker.getSymbolAtLocation(moduleSpecifier);
    return module ? checker.getExportsOfModule(module) : [];
  });
  return types
    .flatMap((symbol) => (symbol === undefined ? [] : [targetOf(checker, symbol)]))
    .filter((symbol) => isOwn(symbol) && (symbol.flags & ts.SymbolFlags.Type) === 0)
    .map(({ name }) => name);
}

function undocumented(program: ts.Program, { file }: Entry): readonly string[] {
  const checker = program.getTypeChecker();
  return [...exportsOf(program, file)]
    .filter(([symbol, { name }]) => isOwn(symbol) && symbol.getDocumentationComment(checker).length === 0 && name !== 'default')
    .map(([, { name }]) => name)
    .sort();
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

  it.each(ENTRIES)('can be named by programs: $name', (entry) => expect(unexported(program, entry)).toEqual([]));

  it.each(ENTRIES)('are types, where values are not exported: $name', (entry) => expect(unusable(program, entry)).toEqual([]));

  it.each(ENTRIES)('are documented: $name', (entry) => expect(undocumented(program, entry)).toEqual([]));

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
