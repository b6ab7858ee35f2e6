import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ActiveVisit, ActiveVisits } from '../../../../machines/step/context/active-visits.ts';

const NODES = ['b', 'a', '10', '2', 'toString', '__proto__'];
const graph = { indexOf: (node: string) => (NODES.includes(node) ? NODES.indexOf(node) : undefined) };
const visit = fc.record<ActiveVisit>(
  { activation: fc.nat(), attempt: fc.nat(), phase: fc.constant('queued'), local: fc.constant(true) },
  { requiredKeys: ['activation', 'attempt', 'phase'] },
);
const changes = fc.array(fc.tuple(fc.constantFrom(...NODES), fc.option(visit)));

describe('active visits', () => {
  it('are what was set last, in the order in which the nodes became active', () => {
    fc.assert(
      fc.property(changes, (made) => {
        let visits = ActiveVisits.of(graph, {});
        const model = new Map<string, ActiveVisit>();
        const versions = made.map(([node, visit]) => {
          visits = visit === null ? visits.without(node) : visits.with(node, visit);
          if (visit === null) model.delete(node);
          else model.set(node, visit);
          return { visits, entries: [...model] };
        });
        for (const { visits: version, entries } of versions) {
          expect(version.entries()).toEqual(entries);
          expect(version.size).toBe(entries.length);
          expect(version.localWork).toBe(entries.filter(([, { local }]) => local === true).length);
        }
        for (const node of NODES) expect(visits.get(node)).toEqual(model.get(node));
      }),
    );
  });

  it('have the JSON text of an object whose keys were set and deleted in that order', () => {
    fc.assert(
      fc.property(changes, (made) => {
        let visits = ActiveVisits.of(graph, {});
        const model: Record<string, ActiveVisit> = {};
        for (const [node, visit] of made.filter(([node]) => node !== '__proto__')) {
          visits = visit === null ? visits.without(node) : visits.with(node, visit);
          if (visit === null) delete model[node];
          else model[node] = visit;
        }
        expect(JSON.stringify(visits)).toBe(JSON.stringify(model));
        expect(JSON.stringify(ActiveVisits.of(graph, JSON.parse(JSON.stringify(visits))))).toBe(JSON.stringify(model));
      }),
    );
  });

  it('are of nodes of the graph', () => {
    const first: ActiveVisit = { activation: 1, attempt: 0, phase: 'queued' };
    expect(() => ActiveVisits.of(graph, { c: first })).toThrow('no node c');
    expect(ActiveVisits.of(graph, {}).get('c')).toBeUndefined();
  });
});
