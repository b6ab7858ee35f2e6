import { describe, expect, it } from 'vitest';
import { defineTool, toolDescription } from '../../src/builder/tool.ts';
import { ReloadableTools } from '../../src/project/reloadable-tools.ts';
import type { Tool } from '../../src/runtime/types/work.ts';

const call = (tool: Tool | undefined): unknown => tool?.({} as never, {} as never);

describe('ReloadableTools', () => {
  it('calls the new function by the tool that was taken before', () => {
    const reloadable = new ReloadableTools({ a: () => 1 });
    const { a } = reloadable.tools;
    reloadable.replace({ a: () => 2 });
    expect([call(a), call(reloadable.tools.a)]).toEqual([2, 2]);
    expect(reloadable.tools.a).toBe(a);
  });

  it('lets a call that runs end with the function that it began with', async () => {
    let finish = (_text: string): void => undefined;
    const reloadable = new ReloadableTools({ a: () => new Promise<string>((resolve) => (finish = resolve)) });
    const running = call(reloadable.tools.a);
    reloadable.replace({ a: () => 'new' });
    finish('old');
    expect([await running, call(reloadable.tools.a)]).toEqual(['old', 'new']);
  });

  it('adds and removes tools in the same object', () => {
    const reloadable = new ReloadableTools({ a: () => 1, b: () => 2 });
    const { tools } = reloadable;
    reloadable.replace({ b: () => 3, c: () => 4 });
    expect(Object.keys(tools)).toEqual(['b', 'c']);
  });

  it('has the properties of the current function: what an agent is told of a tool', () => {
    const described = (description: string) => defineTool({ description, run: () => 1 });
    const reloadable = new ReloadableTools({ a: described('before') });
    const { a } = reloadable.tools;
    expect(toolDescription(a)?.description).toBe('before');
    reloadable.replace({ a: described('after') });
    expect(toolDescription(a)?.description).toBe('after');
    reloadable.replace({ a: () => 2 });
    expect(toolDescription(a)).toBeNull();
  });
});
