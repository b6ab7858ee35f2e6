import type { WorkflowDefinition } from './definition.ts';

// Checks the state keys that conditions and templates name, in the type system: a text of a workflow is typed by itself, so its paths can be
// read. What is wrong becomes the type that the text should have, and so the error of the compiler.

/** Characters that end a name in an expression. A hyphen without spaces belongs to the name. */
type NameEnd =
  | ' '
  | '\t'
  | '\n'
  | '.'
  | ','
  | '('
  | ')'
  | '['
  | ']'
  | '{'
  | '}'
  | '+'
  | '*'
  | '/'
  | '%'
  | '='
  | '!'
  | '<'
  | '>'
  | '|'
  | '&'
  | '?'
  | ':'
  | '"'
  | "'";

/** `state.a` is a path of the state, `.state.a` and `estate.a` are not. */
type BeforeRoot = Exclude<NameEnd, '.'> | '-';

type TakeName<Text extends string, Name extends string = ''> = Text extends `${infer C}${infer Rest}`
  ? C extends NameEnd
    ? readonly [Name, Text]
    : TakeName<Rest, `${Name}${C}`>
  : readonly [Name, ''];

/** The keys of every alternative of a value. */
type KeysOf<Value> = Value extends unknown ? keyof Value & string : never;
type ValueAt<Value, Key> = Value extends unknown ? (Key extends keyof Value ? Value[Key] : never) : never;

/** Values with keys of their own that are known. */
type IsRecord<Value> = unknown extends Value
  ? false
  : [NonNullable<Value>] extends [never]
    ? false
    : [NonNullable<Value>] extends [object]
      ? [Extract<NonNullable<Value>, readonly unknown[]>] extends [never]
        ? true
        : false
      : false;

/** What is wrong with the path after a name and its dot; never = nothing. */
type PathProblem<Text extends string, Value, Path extends string> =
  IsRecord<Value> extends true
    ? TakeName<Text> extends readonly [infer Name extends string, infer Rest extends string]
      ? Name extends KeysOf<NonNullable<Value>>
        ? Rest extends `.${infer Deeper}`
          ? PathProblem<Deeper, ValueAt<NonNullable<Value>, Name>, `${Path}.${Name}`>
          : never
        : Rest extends `(${string}`
          ? never
          : `${Path} has no "${Name}"`
      : never
    : never;

/** What is wrong with an expression; never = nothing that can be seen from here. */
export type ExpressionProblem<Text extends string, State> = Text extends `${infer Before}state.${infer Path}`
  ? Before extends '' | `${string}${BeforeRoot}`
    ? PathProblem<Path, State, 'state'> | ExpressionProblem<Path, State>
    : ExpressionProblem<Path, State>
  : never;

/** What is wrong with a text that may hold `{{ templates }}`, or is a bare path. */
export type TemplateProblem<Text extends string, State> = Text extends `${string}{{${infer Expression}}}${infer Rest}`
  ? ExpressionProblem<Expression, State> | TemplateProblem<Rest, State>
  : Text extends `state.${infer Path}`
    ? Path extends `${string} ${string}`
      ? never
      : PathProblem<Path, State, 'state'>
    : never;

/** What no value is: an error of the compiler shows `Problem`. */
export interface Misspelt<Problem> {
  readonly '~problem': Problem;
}

/** Anything, or what is wrong with it. */
type Unless<Problem> = [Problem] extends [never] ? unknown : Misspelt<Problem>;

/** Keys whose text is a condition, or another expression without braces. */
type ExpressionKey = 'if' | 'when' | 'condition' | 'inputExpr' | 'checks' | 'check';

/** Keys with values of other libraries, and with names of another workflow. */
type UncheckedKey = 'outputSchema' | 'outputMapping' | 'output' | 'parameters' | 'workflow' | 'kind';

type ObjectsIn<T> = T extends readonly unknown[] ? never : T extends object ? T : never;
type ListsIn<T> = T extends readonly (infer Item)[] ? Item : never;

/**
 * What a part of a workflow must be besides what its type says: without keys that its type does not have, and with texts that name only what
 * the state has. A text that the compiler does not know is not checked.
 */
export type Checked<Given, Wanted, State, Key = ''> = Given extends string
  ? string extends Given
    ? unknown
    : Unless<Key extends ExpressionKey ? ExpressionProblem<Given, State> : TemplateProblem<Given, State>>
  : Given extends WorkflowDefinition
    ? unknown
    : Given extends readonly unknown[]
      ? { readonly [P in keyof Given]: Checked<Given[P], ListsIn<Wanted>, State, Key> }
      : Given extends object
        ? CheckedKeys<Given, ObjectsIn<Wanted>, State>
        : unknown;

type CheckedKeys<Given, Wanted, State> = {
  readonly [P in keyof Given]: P extends UncheckedKey
    ? unknown
    : [Wanted] extends [never]
      ? Checked<Given[P], unknown, State, P>
      : P extends KeysOf<Wanted>
        ? Checked<Given[P], ValueAt<Wanted, P>, State, P>
        : Misspelt<`there is no key "${P & string}"`>;
};
