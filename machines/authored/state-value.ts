import { isObject, type Json, type JsonObject } from '../json.ts';

/** Can the machine with these states be in this state value? The time follows from the size of the value. */
export function isStateValue(machine: JsonObject, value: Json | undefined): boolean {
  const open: [state: JsonObject, value: Json | undefined][] = [[machine, value]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [state, inside] = next;
    if (typeof inside === 'string') {
      const child = childOf(state, inside);
      if (state.type === 'parallel' || child === null || !isAtomic(child)) return false;
      continue;
    }
    if (!isObject(inside)) return false;
    const keys = Object.keys(inside);
    if (keys.length !== activeChildren(state)) return false;
    for (const key of keys) {
      const child = childOf(state, key);
      if (child === null || (state.type !== 'parallel' && isAtomic(child))) return false;
      open.push([child, inside[key]]);
    }
  }
  return true;
}

/** Null = the state has none of this name that a machine can be in. */
function childOf({ states }: JsonObject, key: string): JsonObject | null {
  const child = isObject(states) && Object.hasOwn(states, key) ? states[key] : undefined;
  return isObject(child) && child.type !== 'history' ? child : null;
}

function isAtomic({ type, states }: JsonObject): boolean {
  return type !== 'parallel' && !isObject(states);
}

/** How many states directly inside this one a machine is in at once. */
function activeChildren(state: JsonObject): number {
  return state.type === 'parallel' ? regionsOf(state) : isAtomic(state) ? 0 : 1;
}

/** Number of regions by parallel state. */
const REGIONS = new WeakMap<JsonObject, number>();

function regionsOf(state: JsonObject): number {
  const known = REGIONS.get(state);
  if (known !== undefined) return known;
  const regions = isObject(state.states) ? Object.keys(state.states).filter((key) => childOf(state, key) !== null).length : 0;
  REGIONS.set(state, regions);
  return regions;
}
