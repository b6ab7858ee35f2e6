import { workBehaviourOf } from '../nodes/index.ts';
import type { Fields } from '../reading/fields.ts';
import type { OAuth } from './oauth.ts';
import type { Node } from './workflow.ts';

/** Scopes of nodes only narrow those of the workflow, and only work has use for them. Returns the nodes without the others. */
export function withScopesOf(oauth: OAuth | null, nodes: readonly Node[], fields: Fields): readonly Node[] {
  return nodes.map((node) => {
    if (node.oauth_scopes === null) return node;
    const at = { node_id: node.id, path: `nodes.${node.id}.oauth_scopes` };
    const subject = `node "${node.id}": oauth_scopes`;
    if (workBehaviourOf(node.kind) !== 'work') {
      fields.problems.warning('ignored_key', `${subject} has no meaning on a ${node.kind.type} node`, { ...at, hint: null });
      return { ...node, oauth_scopes: null };
    }
    const requested = oauth?.requested_scopes ?? [];
    const wider = requested.length === 0 ? undefined : node.oauth_scopes.find((scope) => !requested.includes(scope));
    if (oauth === null)
      fields.problems.error('no_oauth', `${subject} needs the workflow's oauth`, {
        ...at,
        hint: 'add "oauth": {…} to the workflow',
      });
    else if (wider !== undefined)
      fields.problems.error(
        'scope_not_requested',
        `${subject} "${wider}" is not among oauth.requested_scopes, which a node can only narrow`,
        {
          ...at,
          hint: null,
        },
      );
    return node;
  });
}
