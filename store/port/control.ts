/** Who acts on which tenant's control plane, and when. */
export interface ActionContext {
  readonly tenantId: string;
  readonly atMs: number;
  readonly actorId: string;
  readonly actorType: 'human' | 'agent' | 'system';
  readonly request: string | null;
}

/** Versions of a workflow that are listed with it. */
export const MAX_LISTED_VERSIONS = 1_000;

/** A version of a workflow without its document, which may be large. */
export interface WorkflowVersionRow {
  readonly workflowId: string;
  readonly version: string;
  readonly revision: string;
  readonly registeredAtMs: number;
  /** Actor of the last registration. */
  readonly registeredBy: string;
}

export interface WorkflowRow extends WorkflowVersionRow {
  readonly source: string;
}

/** Content that was registered under a version. */
export interface WorkflowRevisionRow {
  readonly version: string;
  readonly revision: string;
  /** 1 = the version has this content now; 0 = it was registered with other content later. */
  readonly isCurrent: number;
  readonly firstRegisteredAtMs: number;
  readonly firstRegisteredBy: string;
  readonly registeredAtMs: number;
  readonly registeredBy: string;
}

export interface TokenRow {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string;
  readonly role: string;
  /** SHA-256 of the plaintext, hex. */
  readonly hash: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly revokedAtMs: number | null;
  /** The token by whose sign-in link this one was made, or the token of a session that made it; it is revoked with it. Null = neither. */
  readonly parentId: string | null;
  /** JSON list of the only queues whose work it may do. Null = all. */
  readonly queues: string | null;
}

export type ControlAction =
  | {
      readonly type: 'workflow_registered';
      readonly workflowId: string;
      readonly version: string;
      readonly revision: string;
      /** Canonical JSON text of the document. */
      readonly source: string;
    }
  /** Rejects with `unknown_token` if its parent, a token of the acting tenant, is revoked. */
  | { readonly type: 'token_created'; readonly token: TokenRow }
  /** Revokes the tokens whose parent it is, too, and those whose parents they are. Rejects with `unknown_token`. */
  | { readonly type: 'token_revoked'; readonly id: string };

/** What the log keeps of an action: names, never a secret or its hash. */
export function controlData(action: ControlAction): string {
  switch (action.type) {
    case 'workflow_registered':
      return JSON.stringify({ workflow_id: action.workflowId, version: action.version, revision: action.revision });
    case 'token_created': {
      const { id, tenantId, name, role, expiresAtMs, parentId, queues } = action.token;
      const parent = parentId === null ? {} : { parent_id: parentId };
      const restriction = queues === null ? {} : { queues: JSON.parse(queues) as string[] };
      return JSON.stringify({
        token_id: id,
        tenant_id: tenantId,
        name,
        role,
        expires_at_ms: expiresAtMs,
        ...parent,
        ...restriction,
      });
    }
    case 'token_revoked':
      return JSON.stringify({ token_id: action.id });
  }
}
