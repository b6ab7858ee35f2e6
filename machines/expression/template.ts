import { isObject, type Json } from '../json.ts';
import { charsUpTo } from '../json-size.ts';
import { shortened } from '../shortened.ts';
import { Budget } from './budget.ts';
import { BudgetExceeded } from './error.ts';
import {
  compileExpression,
  type Expression,
  evaluate,
  type Reference,
  references,
  type Scope,
  unknownOperations,
} from './index.ts';

/** Expressions in one mapping. */
const MAX_EXPRESSIONS = 2_000;
const UNPARSED: Expression = { text: '', tree: null, error: 'not read', tooLarge: true };
/** Characters of JSON that one mapping may render to, values from the state included. */
const MAX_RENDERED = 4_000_000;
const TOO_LARGE = `the mapping renders to more than ${MAX_RENDERED} characters, or is nested too deeply`;
/** A path such as `state.a.b[0]` needs no braces and keeps the type of its value. */
const BARE_PATH = /^(?:state|input|output)(?:\.[\p{ID_Continue}$-]+|\[\d{1,15}\])+$/u;
const STATE_PATH = /^state(?:\.[\p{ID_Continue}$]+)+$/u;
const MAX_BARE_PATH = 1_000;
/** Characters in which the end of an expression is searched with regard to quotes and braces; no expression is longer. */
const MAX_SEARCHED = 10_000;

type TemplatePart =
  | { readonly type: 'constant'; readonly value: Json }
  | { readonly type: 'expression'; readonly expression: Expression }
  | { readonly type: 'text'; readonly parts: readonly (string | Expression)[] }
  | { readonly type: 'list'; readonly items: readonly TemplatePart[] }
  | { readonly type: 'object'; readonly entries: readonly (readonly [string, TemplatePart])[] };

/** A parsed mapping value. */
export interface Template {
  readonly root: TemplatePart;
  readonly expressions: readonly Expression[];
  /** Why it cannot be rendered at all. Its expressions have their own errors. */
  readonly errors: readonly string[];
  /** Texts that look like templates and are not, because of a missing `}}` or a `{% … %}` tag. They are rendered unchanged. */
  readonly suspicious: readonly string[];
}

/**
 * Parses a mapping value. Never throws. A text that is exactly one `{{ … }}`, or a bare `state.x`, `input.x`, `output.x` path, keeps the type of
 * its value; any other text is rendered to a text; lists and objects are rendered item by item.
 */
export function compileTemplate(value: Json): Template {
  const reading = new TemplateParser();
  const root = reading.part(value);
  const { expressions, suspicious } = reading;
  const errors = expressions.length > MAX_EXPRESSIONS ? [`more than ${MAX_EXPRESSIONS} expressions in one mapping`] : [];
  return { root, expressions, errors, suspicious };
}

export interface RenderResult {
  readonly value: Json;
  readonly errors: readonly string[];
  /** The expression at which the budget was used up. */
  readonly exceeded?: string;
}

/**
 * Renders a template. Never throws. An expression that cannot be evaluated is null, or empty inside a text, and adds an error. With `maxListChars`, a list
 * of the state above that size is named (`{{ state.messages }}`) and not given.
 */
export function render(template: Template, scope: Scope, budget: Budget = new Budget(), maxListChars?: number): RenderResult {
  if (template.errors.length > 0) return { value: null, errors: template.errors };
  const rendering = new TemplateRenderer(scope, budget, maxListChars ?? Number.POSITIVE_INFINITY);
  const value = rendering.value(template.root);
  const { errors, tooLarge } = rendering;
  const exceeded = rendering.exceeded === null ? {} : { exceeded: rendering.exceeded };
  return tooLarge ? { value: null, errors: [...errors, TOO_LARGE], ...exceeded } : { value, errors, ...exceeded };
}

export function referencesOf(template: Template): readonly Reference[] {
  return template.expressions.flatMap(references);
}

/** The first function, method or filter of a template that does not exist; undefined = none. */
export function unknownOperationOf(template: Template): string | undefined {
  const [first] = template.expressions.flatMap(unknownOperations);
  return first === undefined ? undefined : `${first.what} "${shortened(first.name, 60)}"`;
}

/** Renders one template; its expressions share the budget and the limit of size. */
class TemplateRenderer {
  readonly errors: string[] = [];
  /** The expression at which the budget was used up. */
  exceeded: string | null = null;
  readonly #scope: Scope;
  readonly #budget: Budget;
  readonly #maxListChars: number;
  #room = MAX_RENDERED;

  constructor(scope: Scope, budget: Budget, maxListChars: number) {
    this.#scope = scope;
    this.#budget = budget;
    this.#maxListChars = maxListChars;
  }

  get tooLarge(): boolean {
    return this.#room < 0;
  }

  value(part: TemplatePart): Json {
    if (this.tooLarge || this.exceeded !== null) return null;
    switch (part.type) {
      case 'constant':
        return part.value;
      case 'expression': {
        const value = this.#evaluate(part.expression);
        if (this.#isNamed(value, part.expression)) return `{{ ${part.expression.text.trim()} }}`;
        this.#room -= this.#sizeOf(value, part.expression);
        return value;
      }
      case 'text':
        return part.parts.map((piece) => (typeof piece === 'string' ? piece : this.#text(piece))).join('');
      case 'list':
        return part.items.map((item) => this.value(item));
      case 'object':
        return Object.fromEntries(part.entries.map(([key, item]) => [key, this.value(item)]));
    }
  }

  #text(expression: Expression): string {
    if (this.tooLarge || this.exceeded !== null) return '';
    const value = this.#evaluate(expression);
    this.#room -= this.#sizeOf(value, expression);
    if (this.tooLarge || this.exceeded !== null || value === null) return '';
    return typeof value === 'string' ? value : JSON.stringify(value);
  }

  #isNamed(value: Json, { text }: Expression): boolean {
    const limit = this.#maxListChars;
    return Array.isArray(value) && STATE_PATH.test(text.trim()) && charsUpTo(value, limit) > limit;
  }

  #evaluate(expression: Expression): Json {
    const { value, error, exceeded } = evaluate(expression, this.#scope, this.#budget);
    if (error !== undefined) this.#failed(expression, error, exceeded === true);
    return value;
  }

  #sizeOf(value: Json, expression: Expression): number {
    try {
      return this.#budget.sizeOf(value, this.#room);
    } catch (error) {
      if (!(error instanceof BudgetExceeded)) throw error;
      this.#failed(expression, error.message, true);
      return 0;
    }
  }

  #failed({ text }: Expression, error: string, exceeded: boolean): void {
    this.errors.push(`{{ ${shortened(text.trim(), 100)} }}: ${error}`);
    if (exceeded) this.exceeded ??= text.trim();
  }
}

/** Parses one mapping and collects its expressions. */
class TemplateParser {
  readonly expressions: Expression[] = [];
  readonly suspicious: string[] = [];

  part(value: Json): TemplatePart {
    return this.#varying(value) ?? constant(value);
  }

  /** Null = the value is constant, like most of a mapping that is large. */
  #varying(value: Json): TemplatePart | null {
    if (typeof value === 'string') return this.#text(value);
    if (Array.isArray(value)) {
      const list = value as readonly Json[];
      let items: TemplatePart[] | null = null;
      for (const [i, item] of list.entries()) {
        const part = this.#varying(item);
        if (part !== null) items ??= list.slice(0, i).map(constant);
        items?.push(part ?? constant(item));
      }
      return items === null ? null : { type: 'list', items };
    }
    if (!isObject(value)) return null;
    const parts = new Map<string, TemplatePart>();
    for (const key of Object.keys(value)) {
      const part = this.#varying(value[key] ?? null);
      if (part !== null) parts.set(key, part);
    }
    if (parts.size === 0) return null;
    return { type: 'object', entries: Object.entries(value).map(([key, item]) => [key, parts.get(key) ?? constant(item)]) };
  }

  #text(text: string): TemplatePart | null {
    if (text.length <= MAX_BARE_PATH && BARE_PATH.test(text)) return this.#expression(text);
    const pieces = piecesOf(text);
    if (pieces.some((piece) => piece.type === 'literal' && /\{\{|\{%/.test(piece.text))) this.suspicious.push(text);
    if (pieces.every((piece) => piece.type === 'literal')) return null;
    const [only, ...others] = pieces.filter((piece) => piece.type === 'expression' || piece.text.trim() !== '');
    if (only !== undefined && others.length === 0) return this.#expression(only.text);
    const parts = pieces.map((piece) => (piece.type === 'literal' ? piece.text : this.#expression(piece.text).expression));
    return { type: 'text', parts };
  }

  #expression(text: string): Extract<TemplatePart, { type: 'expression' }> {
    const full = this.expressions.length > MAX_EXPRESSIONS;
    const expression = full ? UNPARSED : compileExpression(text);
    if (!full) this.expressions.push(expression);
    return { type: 'expression', expression };
  }
}

function constant(value: Json): TemplatePart {
  return { type: 'constant', value };
}

interface TextPiece {
  readonly type: 'literal' | 'expression';
  readonly text: string;
}

/** Splits a text at `{{ … }}`. An opening without a closing is plain text. */
function piecesOf(text: string): readonly TextPiece[] {
  const pieces: TextPiece[] = [];
  let at = 0;
  // One expression too many is enough for a refusal.
  for (let expressions = 0; expressions <= MAX_EXPRESSIONS; expressions++) {
    const open = text.indexOf('{{', at);
    const close = open < 0 ? -1 : closingOf(text, open + 2);
    if (close < 0) break;
    if (open > at) pieces.push({ type: 'literal', text: text.slice(at, open) });
    pieces.push({ type: 'expression', text: text.slice(open + 2, close) });
    at = close + 2;
  }
  if (at < text.length) pieces.push({ type: 'literal', text: text.slice(at) });
  return pieces;
}

/** The offset of the `}}` that closes an expression: the first outside quotes and objects, else the first. */
function closingOf(text: string, start: number): number {
  let quote = '';
  let braces = 0;
  const end = Math.min(text.length, start + MAX_SEARCHED);
  for (let at = start; at < end; at++) {
    const character = text[at];
    if (quote !== '') {
      if (character === '\\') at += 1;
      else if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '{') braces += 1;
    else if (character === '}' && braces > 0) braces -= 1;
    else if (character === '}' && text[at + 1] === '}') return at;
  }
  return text.indexOf('}}', start);
}
