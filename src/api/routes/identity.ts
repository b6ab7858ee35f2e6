import { accessOf } from '../auth/identity.ts';
import { Caller } from '../operations/identity.ts';
import { type Api, identityOf } from '../services.ts';
import { timeOrNull } from '../time.ts';

export function identityRoutes(app: Api): void {
  app.get(
    '/me',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Read who the caller is',
        description: 'The tenant, the name and the rights of the token that the request was made with.',
        tags: ['Identity'],
        operationId: 'me',
        response: { 200: Caller },
      },
    },
    async (request): Promise<Caller> => {
      const { tenantId, name, role, tokenId, expiresAtMs, byToken } = identityOf(request);
      return {
        tenant_id: tenantId,
        name,
        role,
        access: [...accessOf(role)],
        token_id: tokenId,
        expires_at: timeOrNull(expiresAtMs),
        auth: byToken ? 'on' : 'off',
      };
    },
  );
}
