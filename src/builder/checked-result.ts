import type { Mistake } from './checked.ts';
import type { SortOf } from './texts.ts';

/**
 * What a function returns, which must fit its schema. If it does not, the type says in words why, and so does the error of the compiler. The other
 * alternatives, which no value has, only make the compiler read literals as `Wanted` has them.
 */
export type Returned<R, Wanted> =
  | (R & NoInfer<Checked<Awaited<R>, Wanted>>)
  | NoInfer<{ readonly '~hint': never } & (Wanted | Promise<Wanted>)>;

type Checked<Given, Wanted> = [Problem<Given, Wanted, ''>] extends [never] ? unknown : Mistake<Problem<Given, Wanted, ''>>;

/** Lists of values that cannot change fit, too: what is returned becomes JSON. */
type Unchanging<T> = T extends readonly (infer Item)[]
  ? readonly Unchanging<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Unchanging<T[Key]> }
    : T;

/** `lines[].price is a string, not a number`; never = it fits. */
type Problem<Given, Wanted, Path extends string> = [Given] extends [Unchanging<Wanted>]
  ? never
  : Given extends Unchanging<Wanted>
    ? never
    : Given extends readonly (infer Item)[]
      ? Wanted extends readonly (infer WantedItem)[]
        ? Some<Problem<Item, WantedItem, `${Path}[]`>, Path>
        : Misfit<Given, Wanted, Path>
      : Given extends object
        ? [Extract<Wanted, object>] extends [never]
          ? Misfit<Given, Wanted, Path>
          : [Missing<Given, Extract<Wanted, object>>] extends [never]
            ? Some<ProblemOfKeys<Given, Extract<Wanted, object>, Path>, Path>
            : `${Named<Path>} lacks "${Missing<Given, Extract<Wanted, object>>}"`
        : Misfit<Given, Wanted, Path>;

type ProblemOfKeys<Given, Wanted, Path extends string> = {
  [Key in keyof Given & keyof Wanted & string]: Problem<Given[Key], Wanted[Key], Path extends '' ? Key : `${Path}.${Key}`>;
}[keyof Given & keyof Wanted & string];

type Missing<Given, Wanted> = Exclude<
  { [Key in keyof Wanted]-?: object extends Pick<Wanted, Key> ? never : Key }[keyof Wanted] & string,
  keyof Given
>;

/** A type may not fit for a reason that no part of it shows. */
type Some<Found, Path extends string> = [Found] extends [never] ? `${Named<Path>} does not fit the schema` : Found;
type Misfit<Given, Wanted, Path extends string> = `${Named<Path>} is ${Sort<Given>}, not ${Sort<Wanted>}`;
type Named<Path extends string> = Path extends '' ? 'the result' : Path;
type Sort<T> = [SortOf<T>] extends [never]
  ? 'nothing'
  : T extends string
    ? string extends T
      ? 'a string'
      : `"${T}"`
    : SortOf<T> & string;
