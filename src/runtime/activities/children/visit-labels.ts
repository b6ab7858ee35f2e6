import type { JsonObject } from '../../../../machines/json.ts';
import type { Visit } from '../../../../machines/messages.ts';

/** Labels of a child that name the visit of its parent for which it works. */
const PARENT_NODE = 'jamjet.parent.node';
const PARENT_ACTIVATION = 'jamjet.parent.activation';
const PARENT_ATTEMPT = 'jamjet.parent.attempt';
const PARENT_ITEM = 'jamjet.parent.item';

export function visitLabels({ node, activation, attempt, item }: Visit): Readonly<Record<string, string>> {
  return {
    [PARENT_NODE]: node,
    [PARENT_ACTIVATION]: String(activation),
    [PARENT_ATTEMPT]: String(attempt),
    ...(item === undefined ? {} : { [PARENT_ITEM]: String(item) }),
  };
}

export function visitIn(labels: JsonObject): Visit {
  return {
    node: String(labels[PARENT_NODE]),
    activation: Number(labels[PARENT_ACTIVATION]),
    attempt: Number(labels[PARENT_ATTEMPT]),
    item: labels[PARENT_ITEM] === undefined ? undefined : Number(labels[PARENT_ITEM]),
  };
}
