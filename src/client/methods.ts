import type { Operations } from '../api/operations/index.ts';
import type { Wire } from '../api/operations/operation.ts';
import { type CallOptions, idempotencyHeader, pathSegment, type Transport } from './transport.ts';

type Route = keyof Operations;

/**
 * The operation that a method requests, and what the method takes beside the parameters of the path and `CallOptions`. `+body.url`: a body
 * whose only field is the argument.
 */
export type MethodSpec = Route | `${Route} +${'body' | `body.${string}` | 'query' | 'idempotencyKey'}`;

/** The methods of a table, typed by the operations that they request. */
export type Methods<Table> = {
  readonly [Name in keyof Table]: Table[Name] extends MethodSpec | readonly [MethodSpec, unknown]
    ? Method<SpecOf<Table[Name]>>
    : never;
};

type SpecOf<Entry> = Entry extends readonly [infer Spec, unknown] ? Spec : Entry;

type Method<Spec> = Spec extends `${infer R} +idempotencyKey`
  ? (...args: [...PathOf<R>, options?: CallOptions & { readonly idempotencyKey?: string }]) => Promise<PartOf<R, 'reply'>>
  : Spec extends `${infer R} +body`
    ? (...args: [...PathOf<R>, ...Argument<PartOf<R, 'body'>, Empty>, options?: CallOptions]) => Promise<PartOf<R, 'reply'>>
    : Spec extends `${infer R} +body.${infer Field}`
      ? (
          ...args: [...PathOf<R>, ...Argument<FieldOf<PartOf<R, 'body'>, Field>, undefined>, options?: CallOptions]
        ) => Promise<PartOf<R, 'reply'>>
      : Spec extends `${infer R} +query`
        ? (...args: [...PathOf<R>, query?: PartOf<R, 'query'>, options?: CallOptions]) => Promise<PartOf<R, 'reply'>>
        : (...args: [...PathOf<Spec>, options?: CallOptions]) => Promise<PartOf<Spec, 'reply'>>;

/** A text for each parameter of the path. */
type PathOf<R> = R extends `${string}/:${infer Rest}` ? [string, ...PathOf<Rest>] : [];

type Empty = Record<never, never>;

/** May be left out if the least that there is, an empty object or undefined, is valid. */
type Argument<T, Least> = Least extends T ? [argument?: T] : [argument: T];

type FieldOf<T, Field> = Field extends keyof T ? T[Field] : never;

type PartOf<R, Part extends 'query' | 'body' | 'reply'> = R extends Route ? Wire<Operations[R], Part> : never;

/** Makes the methods of a table. An entry may say how long the server takes to reply. */
export function methods<Table extends Readonly<Record<string, MethodSpec | readonly [MethodSpec, { readonly waitMs: number }]>>>(
  transport: Transport,
  table: Table,
): Methods<Table> {
  const made = Object.entries(table).map(([name, entry]) => {
    const [spec, extra] = typeof entry === 'string' ? [entry, {}] : entry;
    return [name, (...args: unknown[]) => request(transport, spec, args, extra)];
  });
  return Object.fromEntries(made) as Methods<Table>;
}

function request(transport: Transport, spec: MethodSpec, args: readonly unknown[], extra: object): Promise<unknown> {
  const [method = '', path = '', takes = ''] = spec.split(' ');
  const rest = [...args];
  const url = path.replace(/:\w+/g, () => pathSegment(rest.shift() as string));
  const given = takes.startsWith('+body') || takes === '+query' ? argument(takes.slice(1), rest.shift()) : {};
  const options = rest[0] as (CallOptions & { readonly idempotencyKey?: string }) | undefined;
  const headers = takes === '+idempotencyKey' ? { headers: idempotencyHeader(options?.idempotencyKey) } : {};
  return transport.call(method, url, { ...options, ...given, ...headers, ...extra });
}

/** `body`, `query`, or `body.url` for a field. */
function argument(place: string, value: unknown): object {
  const [part = '', field] = place.split('.');
  return { [part]: field === undefined ? { ...(value as object) } : { [field]: value } };
}
