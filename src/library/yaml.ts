/** Files for `createRuntime`, in YAML: `import { checkWorkflow } from 'jamjet-runtime/yaml'`. */

export { checkWorkflow } from '../authoring/check.ts';
export type { CheckedFile, CheckedWorkflow } from '../authoring/check-object.ts';
export type { AuthoringDiagnostic } from '../authoring/diagnostic.ts';
export type { ParsedFile, ParsedWorkflow } from '../authoring/parse.ts';
export type { Requirement } from '../authoring/requirements.ts';
export type { Schedule } from '../authoring/schedule.ts';
export type { LocalTool } from '../authoring/tools.ts';
export type { ModelScript } from '../executors/model/script.ts';
export { readModelScript } from '../server/model-script.ts';
