import type { JsonObject } from '../../machines/json.ts';
import type { ToolContext } from '../runtime/types/work.ts';
import { type AnySchema, type InferInput, type InferOutput, jsonSchemaOf, type Schema, type SchemaIssue } from './schema.ts';
import { type Validate, validationOf } from './validation.ts';

/**
 * Marks a function as a tool with schemas; its value is a `ToolDescription`. It is a registered symbol, so that another copy of this package
 * recognises the function.
 */
export const TOOL: unique symbol = Symbol.for('jamjet-runtime.tool') as never;

/** What is known of a tool beside its function. */
export interface ToolDescription {
  /** For people and models; null = none was given. */
  readonly description: string | null;
  /** JSON Schema of its input; null = it has no schema, or one of a library that cannot write it as JSON Schema. */
  readonly inputSchema: JsonObject | null;
  /** JSON Schema of what it returns; null as above. */
  readonly outputSchema: JsonObject | null;
}

/** A tool with schemas: a function that validates what it is given and what it returns. */
export interface TypedTool<in Input, out Output, out Validated = Input> {
  (input: Input, context: ToolContext): Promise<Output>;
  readonly [TOOL]: ToolDescription;
  /** Only for types: what `run` receives. */
  readonly '~validated'?: Validated;
}

/** A tool that is defined with schemas. Without `input` or `output`, that side is not validated. */
export interface ToolDefinition<in out I extends Schema, in out O extends Schema> {
  /** For people and for models that may call the tool. */
  readonly description?: string;
  readonly input?: I;
  readonly output?: O;
  /**
   * Does the work. It receives the input as its schema gives it, and returns what `output` accepts. An error that it throws fails the
   * attempt; with `retryable: false` on it, for good.
   */
  readonly run: (
    input: NoInfer<InferOutput<I>>,
    context: ToolContext,
  ) => NoInfer<InferInput<O>> | Promise<NoInfer<InferInput<O>>>;
}

/**
 * The input or output of a tool does not fit its schema. The attempt fails for good, since another one would not fit either.
 */
export class SchemaMismatch extends Error {
  readonly retryable = false;
  readonly errorClass = 'validation';
  readonly side: 'input' | 'output';
  readonly issues: readonly SchemaIssue[];

  constructor(side: 'input' | 'output', issues: readonly SchemaIssue[]) {
    const shown = issues.slice(0, MAX_SHOWN_ISSUES).map(({ path, message }) => `${fieldName(side, path)} ${message}`);
    const rest = issues.length - shown.length;
    super([...shown, ...(rest > 0 ? [`${rest} more`] : [])].join('; '));
    this.name = 'SchemaMismatch';
    this.side = side;
    this.issues = issues;
  }
}

const MAX_SHOWN_ISSUES = 5;

/**
 * Defines a tool. With schemas, what it is given and what it returns is validated wherever it runs; a mismatch fails the attempt for good, and
 * names the field (`input.amount must be number`). Schemas are TypeBox schemas (`Type` of this package), schemas of a library that implements
 * Standard Schema (zod, valibot …), or JSON Schemas written `as const`.
 *
 * A bare function is typed by its parameters and not validated.
 *
 * @example
 * const charge = defineTool({
 *   description: 'Charges a card.',
 *   input: Type.Object({ amount: Type.Number({ exclusiveMinimum: 0 }), card: Type.String() }),
 *   output: Type.Object({ receipt: Type.String() }),
 *   run: async ({ amount, card }, { idempotencyKey, signal }) => ({ receipt: await pay(card, amount, { idempotencyKey, signal }) }),
 * });
 * const greet = defineTool(async ({ name }: { name: string }) => ({ greeting: `Hello ${name}` }));
 */
export function defineTool<Input, Output>(
  tool: (input: Input, context: ToolContext) => Output,
): (input: Input, context: ToolContext) => Output;
export function defineTool<const I extends Schema = AnySchema, const O extends Schema = AnySchema>(
  definition: ToolDefinition<I, O>,
): TypedTool<InferInput<I>, InferOutput<O>, InferOutput<I>>;
export function defineTool(tool: ToolDefinition<Schema, Schema> | ((input: unknown, context: ToolContext) => unknown)): unknown {
  return typeof tool === 'function' ? tool : typedTool(tool);
}

export function typedTool({ description, input, output, run }: ToolDefinition<Schema, Schema>): TypedTool<unknown, unknown> {
  const validateInput = input === undefined ? null : validationOf(input);
  const validateOutput = output === undefined ? null : validationOf(output);
  const call = async (given: unknown, context: ToolContext): Promise<unknown> => {
    const accepted = await validated('input', given, validateInput);
    return validated('output', await run(accepted as never, context), validateOutput);
  };
  const known: ToolDescription = {
    description: description ?? null,
    get inputSchema() {
      return input === undefined ? null : jsonSchemaOf(input);
    },
    get outputSchema() {
      return output === undefined ? null : jsonSchemaOf(output);
    },
  };
  return Object.assign(call, { [TOOL]: known });
}

async function validated(side: 'input' | 'output', value: unknown, validate: Validate | null): Promise<unknown> {
  if (validate === null) return value;
  const result = await validate(value);
  if (result.issues === null) return result.value;
  throw new SchemaMismatch(side, result.issues);
}

/** `input.lines[0].sku` */
function fieldName(side: string, path: readonly (string | number)[]): string {
  return path.reduce<string>((name, key) => {
    if (typeof key === 'number') return `${name}[${key}]`;
    return /^[A-Za-z_$][\w$]*$/.test(key) ? `${name}.${key}` : `${name}[${JSON.stringify(key)}]`;
  }, side);
}

/** What is known of a tool's function; null = it was not defined with schemas. */
export function toolDescription(tool: unknown): ToolDescription | null {
  return typeof tool === 'function' && TOOL in tool ? (tool[TOOL] as ToolDescription) : null;
}
