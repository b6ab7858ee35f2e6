import { readdirSync } from 'node:fs';
import type { Dialect, Statement } from '../../store/resources/statement.ts';

/** What the modules in a folder of queries export, by name. */
export async function exportsOf(folder: URL): Promise<readonly (readonly [name: string, exported: unknown])[]> {
  const modules = await Promise.all(readdirSync(folder).map((file) => import(new URL(file, folder).href)));
  return modules.flatMap((module: Readonly<Record<string, unknown>>) => Object.entries(module));
}

/** The text of every statement of the resources that reads or writes rows, as one engine runs it. */
export async function resourceStatements(engine: Dialect['engine']): Promise<readonly (readonly [name: string, text: string])[]> {
  const exported = await exportsOf(new URL('../../store/resources/queries/', import.meta.url));
  return exported
    .flatMap(([name, value]) =>
      statementsIn(value, engine).map(
        (statement, index, { length }) => [length === 1 ? name : `${name} ${index + 1}`, statement[engine].text] as const,
      ),
    )
    .filter(([, text]) => /^(SELECT|INSERT|UPDATE|DELETE|WITH) /.test(text));
}

function statementsIn(value: unknown, engine: Dialect['engine']): readonly Statement<unknown>[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((each) => statementsIn(each, engine));
  if ('decode' in value) return [value as Statement<unknown>];
  if ('engine' in value) return value.engine === engine ? Object.values(value).flatMap((each) => statementsIn(each, engine)) : [];
  return engine in value ? (value as Record<Dialect['engine'], readonly Statement<unknown>[]>)[engine] : [];
}
