// What conditions and templates name, read in the type system: a text of a workflow is typed by itself, so its paths can be read. `Roots`: the values
// that an expression sees, by name: `{ state: … }`.

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
export type KeysOf<Value> = Value extends unknown ? keyof Value & string : never;
export type ValueAt<Value, Key> = Value extends unknown ? (Key extends keyof Value ? Value[Key] : never) : never;

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
export type ExpressionProblem<Text extends string, Roots> = {
  [Root in keyof Roots & string]: ProblemOfRoot<Text, Root, Roots[Root]>;
}[keyof Roots & string];

type ProblemOfRoot<Text extends string, Root extends string, Value> = Text extends `${infer Before}${Root}.${infer Path}`
  ? Before extends '' | `${string}${BeforeRoot}`
    ? PathProblem<Path, Value, Root> | ProblemOfRoot<Path, Root, Value>
    : ProblemOfRoot<Path, Root, Value>
  : never;

/** What is wrong with a text that may hold `{{ templates }}`, or is a bare path. */
export type TemplateProblem<Text extends string, Roots> = Text extends `${string}{{${infer Expression}}}${infer Rest}`
  ? ExpressionProblem<Expression, Roots> | TemplateProblem<Rest, Roots>
  : Text extends `state.${infer Path}`
    ? Path extends `${string} ${string}`
      ? never
      : ExpressionProblem<Text, Roots>
    : never;

type Trimmed<Text extends string> = Text extends ` ${infer Rest}` | `${infer Rest} ` ? Trimmed<Rest> : Text;

/** The expression that a text is as a whole, so that its value is taken as it is; never = it is none. */
type WholeExpression<Text extends string> = Text extends `{{${infer Expression}}}`
  ? Expression extends `${string}}}${string}`
    ? never
    : Trimmed<Expression>
  : Text extends `state.${string}`
    ? Text
    : never;

/** The value at a path; unknown if it is no plain path, or its type is not known. */
type ValueOfPath<Path extends string, Value> = unknown extends Value
  ? unknown
  : Path extends `${infer Name}.${infer Rest}`
    ? Name extends KeysOf<NonNullable<Value>>
      ? ValueOfPath<Rest, ValueAt<NonNullable<Value>, Name>>
      : unknown
    : Path extends KeysOf<NonNullable<Value>>
      ? ValueAt<NonNullable<Value>, Path>
      : unknown;

/** The value that a text of a mapping gives; unknown if that cannot be seen. */
export type ValueOfText<Text extends string, Roots> = [WholeExpression<Text>] extends [never]
  ? Text extends `${string}{{${string}`
    ? string
    : unknown
  : ValueOfPath<WholeExpression<Text>, Roots>;

/** What sort of JSON a value is, in words; unknown = it may be anything. */
export type SortOf<Value> = unknown extends Value
  ? unknown
  : Value extends string
    ? 'a string'
    : Value extends number
      ? 'a number'
      : Value extends boolean
        ? 'a boolean'
        : Value extends readonly unknown[]
          ? 'a list'
          : Value extends object
            ? 'an object'
            : never;

/** What is wrong with a value in the place of another, in words; never = nothing that can be seen from here. */
export type Unfit<Name extends string, Value, Wanted> = unknown extends SortOf<Value> | SortOf<Wanted>
  ? never
  : [SortOf<Value>] extends [never]
    ? never
    : [Extract<SortOf<Value>, SortOf<Wanted>>] extends [never]
      ? `${Name} is ${SortOf<Value> & string}, not ${SortOf<Wanted> & string}`
      : never;

/** As `Unfit`, of the value that a text gives. */
export type UnfitText<Text extends string, Wanted, Roots> = Unfit<
  [WholeExpression<Text>] extends [never] ? 'a text with {{ }}' : WholeExpression<Text>,
  ValueOfText<Text, Roots>,
  Wanted
>;

/** The sort of a value that stands where others must, in words. */
export type Misplaced<Value, Wanted> = `${SortOf<Value> & string}, not ${SortOf<Wanted> & string}`;
