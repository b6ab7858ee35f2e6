import { JamjetClient } from '../../../src/client/index.ts';

/** The API is beside the page, also behind the path prefix of a proxy. */
const API_URL = new URL('.', location.href.split('#', 1)[0]).href;

export function apiClient(token: string | null): JamjetClient {
  return new JamjetClient({ url: API_URL, token });
}
