/** Files for `createRuntime`, in YAML: `import { checkWorkflow } from 'jamjet-runtime/yaml'`. */
export { checkWorkflow } from '../authoring/check.ts';
export { readModelScript } from '../server/model-script.ts';
