import type { WorkflowDefinition } from './definition.ts';
import type { Rendered, Template } from './node-keys.ts';
import type { TypesOfChild } from './nodes.ts';
import type { ExpressionProblem, KeysOf, Misplaced, TemplateProblem, Unfit, UnfitText, ValueAt, ValueOfText } from './texts.ts';

// What a part of a workflow must be. What is wrong with it becomes the type that it should have, and so the error of the compiler: as near to the mistake
// as can be, and in words where a type would not say it.

/** What no value is: an error of the compiler shows `Problem`. */
export interface Mistake<Problem> {
  readonly '~problem': Problem;
}

/** What no object is: an error of the compiler shows the keys, of which it lacks one. */
export interface Lacks<Key extends string> {
  readonly '~lacks': Key;
}

/** Keys whose text is a condition, or another expression without braces. */
type ExpressionKey = 'if' | 'when' | 'condition' | 'inputExpr' | 'checks' | 'check';

/** Keys with values of other libraries, and with names of another workflow. */
type UncheckedKey = 'outputSchema' | 'outputMapping' | 'output' | 'parameters' | 'workflow' | 'kind';

/** Keys of mappings: a text that is one template gives the value of its expression, whatever it is. */
type MappingKey = 'input' | 'inputMapping';

type ListsIn<T> = T extends readonly (infer Item)[] ? Item : never;
type ObjectsIn<T> = T extends readonly unknown[] | WorkflowDefinition ? never : T extends object ? T : never;
/** What a value of a mapping is to be, without the templates that may stand for it. */
type Plain<Wanted> = string extends Wanted ? Wanted : Exclude<Wanted, Template>;

type RequiredKey<T> = {
  [Key in keyof T]-?: string extends Key ? never : object extends Pick<T, Key> ? never : Key;
}[keyof T] &
  string;

/** The alternatives of which an object can be one, by its keys, and by its `type`. */
type AlternativesFor<Given, Wanted> = [Possible<Given, Wanted>] extends [never] ? Wanted : Possible<Given, Wanted>;
type Possible<Given, Wanted> = Wanted extends unknown ? (Contradicts<Given, Wanted> extends true ? never : Wanted) : never;
type Contradicts<Given, Wanted> = true extends {
  [Key in keyof Given & keyof Wanted]: Wanted[Key] extends undefined
    ? true
    : Key extends 'type'
      ? Given[Key] extends Wanted[Key]
        ? false
        : true
      : false;
}[keyof Given & keyof Wanted]
  ? true
  : false;

/** The keys of which an object lacks one; never = it has all that it must have. */
type Lacking<Given, Wanted> = true extends (Wanted extends unknown ? HasAll<Given, Wanted> : never)
  ? never
  : Wanted extends unknown
    ? Exclude<RequiredKey<Wanted>, keyof Given>
    : never;
type HasAll<Given, Wanted> = [Exclude<RequiredKey<Wanted>, keyof Given>] extends [never] ? true : false;

/**
 * What a part of a workflow must be: of the type `Wanted`, without keys that it does not have, and with texts that name only what `Roots` has. A
 * text that the compiler does not know is not checked.
 */
export type Checked<Given, Wanted, Roots, Key = '', Place = 'text'> = Given extends string
  ? CheckedText<Given, Wanted, Roots, Key, Place>
  : unknown extends Wanted
    ? Given extends object
      ? { readonly [P in keyof Given]: Checked<Given[P], unknown, Roots, P, Place> }
      : unknown
    : Given extends readonly unknown[]
      ? [ListsIn<Wanted>] extends [never]
        ? Mistake<Misplaced<Given, Wanted>>
        : { readonly [P in keyof Given]: Checked<Given[P], ListsIn<Wanted>, Roots, Key, Place> }
      : Given extends WorkflowDefinition
        ? Wanted
        : Given extends object
          ? [ObjectsIn<Wanted>] extends [never]
            ? Mistake<Misplaced<Given, Wanted>>
            : CheckedObject<Given, ObjectsIn<Wanted>, Roots, Place>
          : CheckedScalar<Given, Wanted>;

type Scalar = string | number | boolean;

/** Errors of the compiler list what a scalar may be. */
type CheckedScalar<Given, Wanted> = Given extends Wanted
  ? Wanted
  : [Extract<Plain<Wanted>, Scalar>] extends [never]
    ? Mistake<Misplaced<Given, Wanted>>
    : Extract<Plain<Wanted>, Scalar>;

type CheckedText<Given extends string, Wanted, Roots, Key, Place> = string extends Given
  ? Wanted
  : [TextProblem<Given, Wanted, Roots, Key, Place>] extends [never]
    ? CheckedScalar<Given, Wanted>
    : Mistake<TextProblem<Given, Wanted, Roots, Key, Place>>;

type TextProblem<Given extends string, Wanted, Roots, Key, Place> = Key extends ExpressionKey
  ? ExpressionProblem<Given, Roots>
  : [TemplateProblem<Given, Roots>] extends [never]
    ? Place extends 'mapping'
      ? UnfitText<Given, Plain<Wanted>, Roots>
      : never
    : TemplateProblem<Given, Roots>;

type CheckedObject<Given, Wanted, Roots, Place> =
  AlternativesFor<Given, Wanted> extends infer Fitting
    ? [Lacking<Given, Fitting>] extends [never]
      ? CheckedKeys<Given, Fitting, Roots, Place>
      : Lacks<Lacking<Given, Fitting>>
    : never;

type CheckedKeys<Given, Wanted, Roots, Place> = {
  readonly [P in keyof Given]: CheckedKey<Given[P], P, Wanted, Roots, Place>;
};

type CheckedKey<Given, P, Wanted, Roots, Place> =
  P extends KeysOf<Wanted>
    ? P extends UncheckedKey
      ? ValueAt<Wanted, P>
      : Checked<Given, ValueAt<Wanted, P>, Roots, P, P extends MappingKey ? 'mapping' : Place>
    : Mistake<`there is no key "${P & string}"`>;

/** Keys that a node may have besides those that it has. */
type OtherKeys<Given, Wanted> = { readonly [P in Exclude<KeysOf<Wanted>, keyof Given>]?: ValueAt<Wanted, P> };

/** What a node of which this has been given must be. `Output`: what its tool returns; `Schema`: the state as its schema says. */
export type CheckedNode<Given, Wanted, State, Schema, Output> = OtherKeys<Given, Wanted> &
  ([Lacking<Given, AlternativesFor<Given, Wanted>>] extends [never]
    ? {
        readonly [P in keyof Given]: P extends 'outputKey'
          ? CheckedOutputKey<Given[P], ValueAt<Wanted, P>, Schema, Output>
          : P extends 'items' | 'over' | 'do'
            ? CheckedList<Given, P, Wanted, State>
            : P extends 'output' | 'outputMapping'
              ? CheckedOutput<Given, P, Wanted, Schema>
              : CheckedKey<Given[P], P, AlternativesFor<Given, Wanted>, { readonly state: State }, 'text'>;
      }
    : Lacks<Lacking<Given, AlternativesFor<Given, Wanted>>>);

type CheckedOutputKey<Key, Wanted, Schema, Output> = [Unfit<'what the tool returns', Output, ValueAt<Schema, Key>>] extends [
  never,
]
  ? CheckedScalar<Key, Wanted>
  : Mistake<Unfit<'what the tool returns', Output, ValueAt<Schema, Key>>>;

/** The list of a `map`, and the work that is done for each of its items. */
type CheckedList<Given, P extends keyof Given, Wanted, State> = Given extends { readonly type: 'map' }
  ? P extends 'do'
    ? Checked<Given[P], ValueAt<Wanted, P>, { readonly state: State; readonly index: number } & ItemRoot<Given, State>>
    : Given[P] extends string
      ? [Unfit<Given[P], ListOf<Given[P], State>, readonly unknown[]>] extends [never]
        ? CheckedKey<Given[P], 'inputExpr', { readonly inputExpr: ValueAt<Wanted, P> }, { readonly state: State }, 'text'>
        : Mistake<Unfit<Given[P], ListOf<Given[P], State>, readonly unknown[]>>
      : CheckedKey<Given[P], P, Wanted, { readonly state: State }, 'text'>
  : CheckedKey<Given[P], P, Wanted, { readonly state: State }, 'text'>;

type ListOf<Text, State> = Text extends string ? ValueOfText<Text, { readonly state: State }> : unknown;
/** An item of the list, by the name that templates have for it. */
type ItemRoot<Given, State> = {
  readonly [Name in Given extends { readonly as: infer As extends string } ? As : 'item']: Given extends {
    readonly [Key in 'items' | 'over']?: infer Text;
  }
    ? NonNullable<ListOf<Text, State>> extends readonly (infer Item)[]
      ? Item
      : unknown
    : unknown;
};

/** Keys of the state, with texts over the final state of a child whose definition is known. */
type CheckedOutput<Given, P extends keyof Given, Wanted, Schema> =
  TypesOfChild<Given> extends { readonly state: infer Child }
    ? Given[P] extends object
      ? { readonly [Key in keyof Given[P]]: CheckedOutputText<Given[P][Key], Key, Schema, { readonly state: Child }> }
      : ValueAt<Wanted, P>
    : ValueAt<Wanted, P>;
type CheckedOutputText<Text, Key, Schema, Roots> = unknown extends Schema
  ? unknown
  : Key extends KeysOf<Schema>
    ? Checked<Text, Rendered<ValueAt<Schema, Key>>, Roots, '', 'mapping'>
    : Mistake<`the state has no "${Key & string}"`>;
