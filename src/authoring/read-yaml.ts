import {
  type Alias,
  Composer,
  type CST,
  type Document,
  Lexer,
  LineCounter,
  type Node,
  Parser,
  visit,
  type YAMLError,
} from 'yaml';
import { MAX_NESTING } from '../../machines/limits.ts';
import { Findings, type Position, UnreadableFile } from './diagnostic.ts';
import { type Source, valueCounter } from './source.ts';
import { isScalar } from './tree.ts';

/** Characters of a file, at most: the API takes no larger documents either. */
const MAX_SOURCE_LENGTH = 2 * 1024 * 1024;

/** Reads YAML, which includes JSON. Syntax errors are added to `findings`. */
export function readYaml(text: string, file: string): Source {
  const lines = new LineCounter();
  const positionOf = (offset: number): Position => positionIn(lines, offset);
  const findings = new Findings(file, { positionOf, placeOf: (offset) => positionOf(offset).line, pathOf: () => null });
  const empty: Source = { file, root: null, findings, resolve: () => null, spend: valueCounter() };
  try {
    const document = compose(text, lines, findings);
    if (document === null) return empty;
    const targets = aliasTargets(document);
    return { ...empty, root: document.contents, resolve: (alias) => targets.get(alias) ?? null };
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    findings.error(error.code, error.message, error.offset, { hint: error.hint });
    return empty;
  }
}

function positionIn(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function compose(text: string, lines: LineCounter, findings: Findings): Document | null {
  if (text.length > MAX_SOURCE_LENGTH) {
    throw new UnreadableFile('file_too_large', `the file has ${text.length} characters, more than ${MAX_SOURCE_LENGTH}`, 0);
  }
  const tokens = [...tokensOf(text, lines)];
  // Uniqueness of keys is checked when maps are read: here it would take quadratic time.
  const options = { uniqueKeys: false, prettyErrors: false, resolveKnownTags: false };
  const [document, second] = new Composer(options).compose(tokens);
  if (document === undefined)
    throw new UnreadableFile('empty_file', 'the file is empty', 0, 'a workflow file has "workflow:" and "nodes:"');
  addSyntaxErrors([...document.errors, ...document.warnings], lines, findings);
  if (second !== undefined) {
    findings.error('several_documents', 'the file has several YAML documents', second.range[0], {
      hint: 'put one workflow in a file',
    });
  }
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) {
    if (!findings.failed)
      throw new UnreadableFile('empty_file', 'the file is empty', 0, 'a workflow file has "workflow:" and "nodes:"');
    return null;
  }
  return document as Document;
}

/** Adds the first error of each of the first three lines with errors: one mistake often causes several errors. */
function addSyntaxErrors(problems: readonly YAMLError[], lines: LineCounter, findings: Findings): void {
  const byLine = new Map(problems.toReversed().map((problem) => [lines.linePos(problem.pos[0]).line, problem]));
  for (const { code, message, pos } of [...byLine.values()].toReversed().slice(0, 3)) {
    findings.error('yaml_syntax', `not valid YAML: ${message}`, pos[0], { hint: HINTS[code] ?? null });
  }
}

const HINTS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'indent with spaces',
  BAD_INDENT: 'indent all keys of a map equally',
  TAG_RESOLVE_FAILED: 'remove the tag: a workflow has only texts, numbers, booleans, lists and maps',
  MULTILINE_IMPLICIT_KEY: 'put the text in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'put a text with ": " in quotes',
};

/**
 * The tokens of a text. Throws when maps and lists are nested too deeply, because the composer is recursive and would overflow the stack.
 * The parser's stack has one entry for each open collection, and one for the document.
 */
function* tokensOf(text: string, lines: LineCounter): Generator<CST.Token> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    if (parser.stack.length > MAX_NESTING + 1) {
      throw new UnreadableFile('nested_too_deep', `maps and lists nest more than ${MAX_NESTING} levels deep`, parser.offset);
    }
  }
  yield* parser.end();
}

/** The node of each alias: the last one before it with the anchor. */
function aliasTargets(document: Document): ReadonlyMap<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Alias(_key, alias) {
      const target = anchors.get(alias.source);
      if (target !== undefined) targets.set(alias, target);
    },
    Value(_key, node) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
}
