import { expect, it } from 'vitest';
import { type Api, api } from './support/api.ts';
import { bodyFor, FREE_NAMES, UNKNOWN, withIds } from './support/isolation.ts';
import { answer, nameOf, registeredRoutes } from './support/routes.ts';

/** The reply of each route for a missing id, by the first segment of its path. */
async function refusals(
  server: Api,
  ids: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, readonly (readonly [route: string, text: string])[]>> {
  const token = await server.token('operator');
  const by = new Map<string, (readonly [string, string])[]>();
  for (const route of await registeredRoutes(server)) {
    const named = /^\/(?:docs|console)\//.test(route.url) ? null : withIds(route, ids);
    if (named === null || FREE_NAMES.includes(nameOf(route))) continue;
    const { status, text } = await answer(server, named, token, bodyFor(route));
    // The body has fields of other routes.
    const { warnings: _, ...body } = JSON.parse(text);
    const resource = route.url.replace(/^\/api\/v1/, '').split('/')[1] ?? '';
    by.set(resource, [...(by.get(resource) ?? []), [nameOf(route), `${status} ${JSON.stringify(body)}`]]);
  }
  return by;
}

const LONG = Object.fromEntries(Object.keys(UNKNOWN).map((resource) => [resource, 'x'.repeat(300)]));

it.each([
  ['an id', UNKNOWN],
  ['a text of any length', LONG],
])('is the same on every route: %s', async (_what, ids) => {
  for (const [resource, answers] of await refusals(await api(), ids)) {
    const id = ids[resource]?.slice(0, 120) ?? '';
    for (const [route, text] of answers)
      expect([route, text]).toEqual([
        route,
        expect.stringMatching(/^404 \{"error":"not found: (?:[^"\\]|\\.)+","code":"not_found"\}$/),
      ]);
    // Versions of workflows and deliveries have two ids in their paths.
    const texts = answers.filter(([route]) => !/\/:\w+.*\/:/.test(route)).map(([, text]) => text);
    if (texts.length === 0) continue;
    expect([resource, [...new Set(texts)]]).toEqual([resource, [texts[0]]]);
    expect(texts[0]).toContain(id);
  }
});
