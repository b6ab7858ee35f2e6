/** A record of a CSV file. */
export interface CsvRecord {
  readonly fields: readonly string[];
  /** The line on which it begins, from 1. */
  readonly line: number;
}

/**
 * The records of a CSV file (RFC 4180): fields in quotes may hold commas, line breaks and doubled quotes. Blank lines are skipped. Throws what
 * `fault` makes of a problem.
 */
export function csvRecords(text: string, fault: (problem: string, line: number) => Error): CsvRecord[] {
  const records: CsvRecord[] = [];
  let fields: string[] = [];
  let line = 1;
  let begins = 1;
  // A field with its end: a quoted one, or one without quotes.
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|\r|$)/gy;
  while (field.lastIndex < text.length || fields.length > 0) {
    const match = field.exec(text);
    if (match === null) throw fault('a quote is not closed, or stands inside a field', line);
    const [whole, quoted, plain = '', end] = match;
    fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    line += whole.match(/\r\n|\n|\r/g)?.length ?? 0;
    if (end === ',') continue;
    if (fields.length > 1 || fields[0] !== '' || quoted !== undefined) records.push({ fields, line: begins });
    fields = [];
    begins = line;
  }
  return records;
}
