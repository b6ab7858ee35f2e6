import { isObject, type JsonObject } from '../../machines/json.ts';
import { callSite } from './call-site.ts';
import { type Authored, authoredOf, type Defined, WORKFLOW, type WorkflowDefinition } from './definition.ts';
import { toolsOfWorkflows } from './workflow-tools.ts';

/** Several workflows and agents that belong together, as in a workflow file with `agents:` and `workflows:`. */
export interface FleetDefinition {
  /** Its workflows and agents, each after those that its subgraphs name: for `createRuntime({ workflows })`. */
  readonly units: readonly WorkflowDefinition[];
}

/**
 * Puts workflows and agents together, so that the command line registers, tests and deploys them as one. Definitions that subgraphs name
 * belong to it. Throws `TypeError` if two have the same id, or call different functions by one name.
 *
 * @example
 * export const nightWatch = fleet([morningBrief, secondOpinion, alarm]);
 */
export function fleet(units: readonly WorkflowDefinition[]): FleetDefinition {
  const all = [...new Set(units.flatMap((unit) => [...unit.subworkflows, unit]))];
  const twice = all.find(({ id }, i) => all.findIndex((other) => other.id === id) < i);
  if (twice !== undefined) throw new TypeError(`two units of the fleet have the id "${twice.id}": rename one of the two`);
  return new Fleet(all, callSite(fleet));
}

class Fleet implements FleetDefinition, Defined {
  readonly units: readonly WorkflowDefinition[];
  readonly #tools: Authored['tools'];
  readonly #at: Authored['at'];
  #authored: Authored | null = null;

  constructor(units: readonly WorkflowDefinition[], at: Authored['at']) {
    this.units = units;
    this.#tools = toolsOfWorkflows(units);
    this.#at = at;
  }

  get [WORKFLOW](): Authored {
    this.#authored ??= {
      content: fleetFile(this.units),
      functions: Object.keys(this.#tools),
      at: this.#at,
      tools: this.#tools,
    };
    return this.#authored;
  }
}

/** The file of a fleet: each unit is what its own file says, below its id. */
function fleetFile(units: readonly WorkflowDefinition[]): JsonObject {
  const files = units.map((unit): [string, JsonObject] => [unit.id, contentOf(unit)]);
  const agents = files.flatMap(([id, { agent, ...others }]) => (isObject(agent) ? [[id, { ...unnamed(agent), ...others }]] : []));
  const workflows = files.flatMap(([id, { workflow, ...others }]) =>
    isObject(workflow) ? [[id, { workflow: unnamed(workflow), ...others }]] : [],
  );
  return {
    ...(agents.length > 0 && { agents: Object.fromEntries(agents) }),
    ...(workflows.length > 0 && { workflows: Object.fromEntries(workflows) }),
  };
}

function contentOf(unit: WorkflowDefinition): JsonObject {
  const authored = authoredOf(unit);
  if (authored === null) throw new TypeError(`"${unit.id}" was not made by workflow() or agent()`);
  return authored.content;
}

function unnamed({ id: _, ...others }: JsonObject): JsonObject {
  return others;
}
