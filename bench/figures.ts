/**
 * What a figure depends on: `wall` varies with the load of the machine, `cpu` much less, `commits` with which executions share one, `none` with nothing.
 */
export type Noise = 'wall' | 'cpu' | 'commits' | 'none';

export interface Column {
  readonly name: string;
  readonly digits: number;
  readonly noise: Noise;
  /** Which direction is an improvement. */
  readonly better: 'more' | 'less';
  /** By what part two runs may differ; default 0.03. Only of a figure that depends on no load. */
  readonly tolerance?: number;
}

export interface Row {
  /** Unique in its section: figures are named by section, row and column. */
  readonly label: string;
  /** One for each column; null = not measured here. */
  readonly values: readonly (number | null)[];
}

/** One table of results. A section of the bench yields one or several. */
export interface Table {
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
}

export interface Figure extends Column {
  readonly section: string;
  readonly label: string;
  readonly value: number;
}

export function figuresOf(section: string, tables: readonly Table[]): readonly Figure[] {
  const figures: Figure[] = [];
  for (const { columns, rows } of tables)
    for (const { label, values } of rows)
      for (const [i, column] of columns.entries()) {
        const value = values[i] ?? null;
        if (value !== null) figures.push({ ...column, section, label, value });
      }
  return figures;
}

export const wall = (name: string, digits: number, better: Column['better'] = 'less'): Column => ({
  name,
  digits,
  noise: 'wall',
  better,
});
export const cpu = (name: string, digits: number): Column => ({ name, digits, noise: 'cpu', better: 'less' });
export const exact = (name: string, digits: number): Column => ({ name, digits, noise: 'none', better: 'less' });
export const perCommit = (name: string, digits: number): Column => ({ name, digits, noise: 'commits', better: 'less' });
