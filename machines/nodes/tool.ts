import { type Static, Type } from 'typebox';
import type { Json, JsonObject } from '../json.ts';
import { defineKind, type KindDefinition, type Queue } from './kind.ts';
import { INPUT_MAPPING, mappingUnlessEmpty, OUTPUT_PROPERTIES, readOutputFields } from './shared-fields.ts';
import { WORK_SYNTAX } from './syntax.ts';

/** The function that `tools` names for a tool. */
export const TOOL_PROPERTIES = {
  python: Type.Optional(
    Type.Object(
      {
        module: Type.String({ description: 'Dotted name of the module.' }),
        function: Type.String({ description: 'Name of the function in the module.' }),
      },
      { description: 'The Python function that `tools` names. Set by the runtime.' },
    ),
  ),
  java: Type.Optional(
    Type.Object(
      {
        class_name: Type.String({ description: 'Full name of the class.' }),
        method: Type.String({ description: 'Name of the method.' }),
      },
      { description: 'The Java method that `tools` names. Set by the runtime.' },
    ),
  ),
};

export const Tool = Type.Object(
  {
    type: Type.Literal('tool'),
    tool_ref: Type.String({ description: 'Name of the function that is called.' }),
    input_mapping: INPUT_MAPPING,
    ...TOOL_PROPERTIES,
    ...OUTPUT_PROPERTIES,
  },
  {
    description:
      'Calls a function by name: a function registered in this process, else the URL that `tools` declares, else an external worker; ' +
      'one of its language when `tools` declares a Python or Java function.',
  },
);
export type Tool = Static<typeof Tool>;

type Called = Pick<Tool, 'tool_ref' | 'python' | 'java'>;

export function toolQueue({ python, java }: Called): Queue {
  return python !== undefined ? 'python_tool' : java !== undefined ? 'java_tool' : 'tool';
}

export function toolPayload({ tool_ref, python, java }: Called, input: Json): JsonObject {
  return {
    tool_ref,
    ...python,
    ...(java === undefined ? {} : { class: java.class_name, method: java.method }),
    input,
  };
}

export const tool: KindDefinition<Tool> = defineKind<Tool>({
  type: 'tool',
  schema: Tool,
  normalise: (fields) => ({
    type: 'tool',
    tool_ref: fields.requiredName('tool_ref'),
    input_mapping: fields.mapping('input_mapping'),
    ...readOutputFields(fields),
  }),
  aliases: { tool_ref: ['ref', 'tool'], input_mapping: ['arguments', 'input'] },
  requiredKeys: ['tool_ref'],
  distinctiveKeys: ['input_mapping', 'arguments'],
  queue: toolQueue,
  policyNames: (kind) => [kind.tool_ref],
  tool: (kind) => kind.tool_ref,
  catalogTool: (kind) => kind.tool_ref,
  withFunction: (kind, named) => ({ ...kind, ...named }),
  mapping: (kind) => mappingUnlessEmpty(kind.input_mapping),
  payload: toolPayload,
  objectResultIsPatch: true,
  syntax: {
    keys: { tool_ref: { holds: 'text', spellings: ['tool', 'ref', 'fn'] }, server: { holds: 'text' }, ...WORK_SYNTAX },
    /** A tool is named like its node unless the author says otherwise; one with a `server` is a tool of an MCP server. */
    complete(kind, { id }) {
      const name = kind.tool_ref ?? id;
      if (kind.server === undefined) kind.tool_ref = name;
      else {
        kind.type = 'mcp_tool';
        kind.tool = name;
        delete kind.tool_ref;
      }
    },
  },
  letter: 'f',
});
