import { InvalidWorkflow } from '../../machines/diagnostics.ts';
import type { JsonObject } from '../../machines/json.ts';
import { type CheckedFile, type CheckedWorkflow, checkObject } from '../authoring/check-object.ts';
import { callSite } from './call-site.ts';
import {
  type Authored,
  type Defined,
  isDefinition,
  WORKFLOW,
  type WorkflowDefinition,
  type WorkflowTypes,
} from './definition.ts';
import { type AnyWorkflow, functionsOf } from './workflow-file.ts';

/** A definition whose file is made, and compiled, when it is first asked for. `definer`: the function that the author calls. */
export function define<Types extends WorkflowTypes>(
  definer: (...definition: never[]) => unknown,
  file: () => JsonObject,
  definition: AnyWorkflow,
): WorkflowDefinition<Types> {
  return new LazyDefinition(definition, file, callSite(definer));
}

class LazyDefinition<Types extends WorkflowTypes> implements WorkflowDefinition<Types>, Defined {
  readonly id: string;
  readonly version: string;
  readonly tools: WorkflowDefinition['tools'];
  readonly subworkflows: readonly WorkflowDefinition[];
  readonly #file: () => JsonObject;
  readonly #at: Authored['at'];
  #authored: Authored | null = null;
  #checked: CheckedFile | null = null;

  constructor(definition: AnyWorkflow, file: () => JsonObject, at: Authored['at']) {
    this.id = String(definition.id);
    this.version = String(definition.version ?? '0.1.0');
    this.subworkflows = subworkflowsOf(definition);
    this.tools = Object.assign({}, ...this.subworkflows.map(({ tools }) => tools), functionsOf(definition.tools));
    this.#file = file;
    this.#at = at;
  }

  get [WORKFLOW](): Authored {
    this.#authored ??= { content: this.#file(), functions: Object.keys(this.tools), at: this.#at, tools: this.tools };
    return this.#authored;
  }

  get document(): JsonObject {
    return this.#valid().document;
  }

  get schedule(): WorkflowDefinition['schedule'] {
    return this.#valid().schedule;
  }

  #valid(): Pick<CheckedWorkflow, 'document' | 'schedule'> {
    const { workflows, diagnostics } = this.#check();
    const [workflow] = workflows;
    if (workflow !== undefined) return workflow;
    throw new InvalidWorkflow(diagnostics.filter(({ severity }) => severity === 'error'));
  }

  get diagnostics(): WorkflowDefinition['diagnostics'] {
    return this.#check().diagnostics;
  }

  #check(): CheckedFile {
    this.#checked ??= checkObject(this[WORKFLOW]);
    return this.#checked;
  }
}

/** The definitions that subgraphs name and that agents have as tools, each after those that it needs itself. */
function subworkflowsOf({ nodes = {} }: Partial<AnyWorkflow>): readonly WorkflowDefinition[] {
  const named = Object.values(nodes).flatMap((node: object) => [
    ...definitionsIn(node),
    ...('tools' in node && Array.isArray(node.tools)
      ? node.tools.flatMap((tool) => [...definitionsIn([tool]), ...definitionsIn(tool)])
      : []),
  ]);
  return [...new Set(named.flatMap((child) => [...child.subworkflows, child]))];
}

function definitionsIn(value: unknown): readonly WorkflowDefinition[] {
  return typeof value === 'object' && value !== null && !isDefinition(value) ? Object.values(value).filter(isDefinition) : [];
}
