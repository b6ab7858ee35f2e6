import { Format } from 'typebox/format';
import { Errors } from 'typebox/schema';
import type { Json, JsonObject } from '../../../../machines/json.ts';

/** What is asked of the worker; one answer follows. */
export interface SchemaQuestion {
  readonly schema: JsonObject;
  readonly value: Json;
}

export type SchemaAnswer = { readonly problems: readonly string[] } | { readonly unusable: string };

const MAX_PROBLEMS = 8;

// The server does not check formats either.
Format.Clear();

addEventListener('message', ({ data }: MessageEvent<SchemaQuestion>) => postMessage(answerTo(data)));

function answerTo({ schema, value }: SchemaQuestion): SchemaAnswer {
  try {
    const [, errors] = Errors(schema, value);
    // An unknown key is also reported as one that no value fits.
    const said = errors.filter(({ keyword }) => keyword !== 'boolean').flatMap(problemsOf);
    return { problems: [...new Set(said)].slice(0, MAX_PROBLEMS) };
  } catch (error) {
    return { unusable: error instanceof Error ? error.message : String(error) };
  }
}

function problemsOf({ keyword, instancePath, params, message }: ReturnType<typeof Errors>[1][number]): readonly string[] {
  const path = instancePath.slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~');
  const of = (key: string): string => (path === '' ? key : `${path}.${key}`);
  if (keyword === 'required') return params.requiredProperties.map((key) => `${of(key)} is required`);
  if (keyword === 'additionalProperties')
    return params.additionalProperties.map((key) => `unknown key ${JSON.stringify(of(key))}`);
  const allowed = keyword === 'enum' ? `: ${params.allowedValues.map((each) => JSON.stringify(each)).join(', ')}` : '';
  return [`${path === '' ? 'the value' : path} ${message}${allowed}`];
}
