import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';

/**
 * How to authenticate with an agent: the card's `auth`, else the first supported A2A security scheme (0.3: `type: http|apiKey`; 1.0: one key
 * per kind of scheme), else none. A bearer token without `scopes` gets an empty list.
 */
export function authOf(card: JsonObject): JsonObject {
  const { auth } = card;
  if (isObject(auth) && typeof auth.type === 'string')
    return auth.type === 'bearer_token' && !Array.isArray(auth.scopes) ? { ...auth, scopes: [] } : auth;
  const schemes = isObject(card.securitySchemes) ? Object.values(card.securitySchemes).filter(isObject) : [];
  const [known] = schemes.flatMap(schemeOf);
  return known ?? { type: 'none' };
}

function schemeOf(scheme: JsonObject): readonly JsonObject[] {
  const http = objectOrNull(scheme.httpAuthSecurityScheme) ?? (scheme.type === 'http' ? scheme : null);
  if (http !== null && String(http.scheme).toLowerCase() === 'bearer') return [{ type: 'bearer_token', scopes: [] }];
  if (['oauth2', 'openIdConnect'].includes(String(scheme.type)) || scheme.oauth2SecurityScheme !== undefined)
    return [{ type: 'bearer_token', scopes: [] }];
  const key = objectOrNull(scheme.apiKeySecurityScheme) ?? (scheme.type === 'apiKey' ? scheme : null);
  return key !== null && typeof key.name === 'string' ? [{ type: 'api_key', header: key.name }] : [];
}

function objectOrNull(value: Json | undefined): JsonObject | null {
  return isObject(value) ? value : null;
}
