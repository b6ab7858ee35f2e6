import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import { isPromptFile, PROMPT_KEYS } from '../../machines/nodes/model-names.ts';
import type { CheckedFile } from './check-object.ts';

/** Reads the file of a prompt; `what` names it for an error. */
type ReadPrompt = (path: string, what: string) => Promise<string>;

/** The workflows of a file with the texts of the files that model nodes name as prompts. A registered document names no files. */
export async function withPromptFiles(parsed: CheckedFile, read: ReadPrompt): Promise<CheckedFile> {
  const workflows = await Promise.all(
    parsed.workflows.map(async (unit) => ({ ...unit, document: await withPrompts(unit.document, read) })),
  );
  return { ...parsed, workflows, document: parsed.document === null ? null : (workflows[0]?.document ?? null) };
}

async function withPrompts(document: JsonObject, read: ReadPrompt): Promise<JsonObject> {
  if (!isObject(document.nodes)) return document;
  const nodes = await Promise.all(
    Object.entries(document.nodes).map(async ([id, node]): Promise<[string, Json]> => {
      if (!isObject(node) || !isObject(node.kind) || node.kind.type !== 'model') return [id, node];
      const kind: Record<string, Json> = { ...node.kind };
      for (const key of PROMPT_KEYS) {
        const prompt = kind[key];
        if (typeof prompt === 'string' && isPromptFile(prompt)) kind[key] = await read(prompt, `node "${id}": ${prompt}`);
      }
      return [id, { ...node, kind }];
    }),
  );
  return { ...document, nodes: Object.fromEntries(nodes) };
}
