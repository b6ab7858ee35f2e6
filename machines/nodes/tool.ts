import type { Json, JsonObject } from '../json.ts';
import { byRuntime, name, text } from './fields.ts';
import { declareKind, defineKind, type KindOf, type Queue } from './kind.ts';
import { INPUT_MAPPING, OUTPUT, TOOL_REF, UNCHECKED_SCHEMA } from './shared-fields.ts';

/** The function that `tools` names for a tool. */
export const TOOL_FUNCTION = {
  python: byRuntime('The Python function that `tools` names. Set by the runtime.', {
    module: name('Dotted name of the module.', { required: true }),
    function: name('Name of the function in the module.', { required: true }),
  }),
  java: byRuntime('The Java method that `tools` names. Set by the runtime.', {
    class_name: name('Full name of the class.', { required: true }),
    method: name('Name of the method.', { required: true }),
  }),
};

const TOOL = declareKind({
  type: 'tool',
  description:
    'Calls a function by name: a function registered in this process, else the URL that `tools` declares, else an external worker; ' +
    'one of its language when `tools` declares a Python or Java function.',
  fields: {
    tool_ref: TOOL_REF,
    server: text('The MCP server of the tool: the node is an `mcp_tool` then.', { only: 'file' }),
    input_mapping: INPUT_MAPPING,
    output_schema: UNCHECKED_SCHEMA,
    ...TOOL_FUNCTION,
    ...OUTPUT,
  },
});
export type Tool = KindOf<typeof TOOL>;

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

export const tool = defineKind(TOOL, {
  queue: toolQueue,
  policyNames: (kind) => [kind.tool_ref],
  tool: (kind) => kind.tool_ref,
  catalogTool: (kind) => kind.tool_ref,
  withFunction: (kind, named) => ({ ...kind, ...named }),
  payload: toolPayload,
  objectResultIsPatch: true,
  /** A tool is named like its node unless the author says otherwise; one with a `server` is a tool of an MCP server. */
  complete(kind, { id }) {
    const called = kind.tool_ref ?? id;
    if (kind.server === undefined) kind.tool_ref = called;
    else {
      kind.type = 'mcp_tool';
      kind.tool = called;
      delete kind.tool_ref;
    }
  },
  letter: 'f',
});
