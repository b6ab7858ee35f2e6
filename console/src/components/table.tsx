// biome-ignore-all lint/a11y/noRedundantRoles: elements lose their roles with another `display`
import type { ReactNode } from 'react';
import styles from './table.module.css';

export interface Column<Row> {
  /** Unique in the table; on a narrow screen, the label of the value. */
  readonly header: string;
  readonly cell: (row: Row) => ReactNode;
  /** Numbers stand at the end. Default `start`. */
  readonly align?: 'start' | 'end';
  /** The column that names the row. Default: the first. */
  readonly isRowHeader?: boolean;
  /** Short texts that do not break, such as statuses. */
  readonly isShort?: boolean;
  /** Buttons: the header is only read by screen readers. */
  readonly isActions?: boolean;
}

interface Props<Row> {
  /** What the rows are, for screen readers. */
  readonly label: string;
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  readonly columns: readonly Column<Row>[];
  /** Rows that stand back, such as revoked ones. */
  readonly isMuted?: (row: Row) => boolean;
}

/**
 * A table that becomes a list of cards where there is no room for its columns. The roles are written out, because another `display` takes
 * them from the elements. For some hundreds of rows; longer lists need virtual rows.
 *
 * @example
 * <Table label="Cron jobs" rows={jobs} rowKey={({ name }) => name} columns={[{ header: 'Name', cell: ({ name }) => <Name text={name} /> }]} />
 */
export function Table<Row>({ label, rows, rowKey, columns, isMuted }: Props<Row>) {
  const named = columns.find(({ isRowHeader }) => isRowHeader === true) ?? columns[0];
  return (
    <div className={styles.frame}>
      <table className={styles.table} role="table" aria-label={label}>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map(({ header, align, isActions }) => (
              <th key={header} role="columnheader" scope="col" data-align={align}>
                {isActions === true ? <span className="visually-hidden">{header}</span> : header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr key={rowKey(row)} role="row" data-muted={isMuted?.(row)}>
              {columns.map((column) => (
                <Cell key={column.header} column={column} isHeader={column === named} row={row} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell<Row>({ column, isHeader, row }: { readonly column: Column<Row>; readonly isHeader: boolean; readonly row: Row }) {
  const { cell, header, align, isActions, isShort } = column;
  const content = isActions === true ? <div className={styles.actions}>{cell(row)}</div> : cell(row);
  if (isHeader)
    return (
      <th role="rowheader" scope="row" className={styles.name} data-short={isShort}>
        {content}
      </th>
    );
  return (
    <td role="cell" data-align={align} data-short={isShort} data-label={isActions === true ? undefined : header}>
      {isActions === true ? content : <div>{content}</div>}
    </td>
  );
}
