/** Shorter ones would be found in texts by chance. */
export const MIN_SECRET_LENGTH = 8;
export const MASKED = '[key]';

/** The text with `[key]` in place of secrets, which a server may repeat in its errors. */
export function withoutSecrets(secrets: readonly string[], text: string): string {
  return secrets.reduce((rest, secret) => (secret.length < MIN_SECRET_LENGTH ? rest : rest.replaceAll(secret, MASKED)), text);
}
