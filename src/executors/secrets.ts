/** Shorter ones would be found in texts by chance. */
const MIN_LENGTH = 8;

/** The text with `[key]` in place of secrets, which a server may repeat in its errors. */
export function withoutSecrets(secrets: readonly string[], text: string): string {
  return secrets.reduce((rest, secret) => (secret.length < MIN_LENGTH ? rest : rest.replaceAll(secret, '[key]')), text);
}
