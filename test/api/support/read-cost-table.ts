import { readFileSync, writeFileSync } from 'node:fs';

const PAGE = 'docs/read-costs.md';

/** A statement: the route that is the first to use it, and its worst measures, which are rounded and not compared. */
export interface CostRow {
  readonly route: string;
  readonly plan: string;
  readonly measures: readonly number[];
}

/** The table of one database, below its heading on the page. */
export class CostTable {
  readonly #heading: string;
  readonly #measures: readonly string[];
  readonly #essenceOf: (plan: string) => string;

  /** `essenceOf`: what of a plan must be the same. Default: all. */
  constructor(heading: string, measures: readonly string[], essenceOf = (plan: string) => plan) {
    this.#heading = `## ${heading}\n\n`;
    this.#measures = measures;
    this.#essenceOf = essenceOf;
  }

  /** The statements of the page. */
  documented(): readonly string[] {
    const [, below = ''] = readFileSync(PAGE, 'utf8').split(this.#heading);
    const [table = ''] = below.split('\n\n');
    const rows = table.trim().split('\n').slice(2);
    return this.of(
      rows.map((row) => {
        const [, route = '', plan = ''] = row.split('|').map((cell) => cell.trim().replaceAll('`', ''));
        return { route, plan, measures: [] };
      }),
    );
  }

  /** Rows as they are compared. */
  of(rows: readonly CostRow[]): readonly string[] {
    return rows.map(({ route, plan }) => `${route}: ${this.#essenceOf(plan)}`).sort();
  }

  /** Replaces the table. Done when the variable `WRITE_READ_COSTS` is set, by `npm run read-costs`. */
  write(rows: readonly CostRow[]): void {
    const page = readFileSync(PAGE, 'utf8');
    const [above = '', below = ''] = page.split(this.#heading);
    const [, ...rest] = below.split('\n\n');
    const lines = [
      ['statement of', 'plan', ...this.#measures],
      ['---', '---', ...this.#measures.map(() => '---:')],
      ...rows.map(({ route, plan, measures }) => [`\`${route}\``, plan, ...measures.map(rounded)]),
    ];
    const table = lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
    writeFileSync(PAGE, `${above}${this.#heading}${[table, ...rest].join('\n\n').trimEnd()}\n`);
  }
}

/** Two digits. */
function rounded(count: number): string {
  return Number(count.toPrecision(2)).toLocaleString('en');
}

/** The worst of the costs of a statement. */
export function worst<Cost>(costs: readonly Cost[], measure: (cost: Cost) => number): Cost {
  return costs.reduce((most, cost) => (measure(cost) > measure(most) ? cost : most));
}
