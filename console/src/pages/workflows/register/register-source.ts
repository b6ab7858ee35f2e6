import { isObject, type Json } from '../../../../../machines/json.ts';
import type { JamjetClient, RegisteredWorkflow } from '../../../../../src/client/index.ts';

/** Registers what was written: JSON if it begins like an object, else a workflow file. */
export async function registerSource(client: JamjetClient, source: string): Promise<RegisteredWorkflow> {
  if (!source.trimStart().startsWith('{')) return client.registerYaml(source);
  const document = JSON.parse(source) as Json;
  if (!isObject(document)) throw new Error('A workflow document is an object.');
  return client.registerWorkflow(isObject(document.ir) ? document.ir : document);
}
