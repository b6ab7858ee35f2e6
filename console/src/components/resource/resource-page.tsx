import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Page } from '../page.tsx';
import { QueryStates } from '../query-states.tsx';
import { type Column, Table } from '../table.tsx';

interface Props<Data, Row> {
  readonly title: string;
  /** What the rows are, for screen readers and while they load. Default: the title. */
  readonly label?: string;
  /** Buttons at the top; false = the role of the caller has none. */
  readonly actions?: ReactNode;
  readonly filters?: ReactNode;
  readonly query: UseQueryResult<Data>;
  readonly rows: (data: Data) => readonly Row[];
  readonly rowKey: (row: Row) => string;
  readonly columns: readonly Column<Row>[];
  /** Rows that stand back, such as revoked ones. */
  readonly isMuted?: (row: Row) => boolean;
  /** Shown in place of a table without rows. */
  readonly empty: ReactNode;
  /** Above the table. */
  readonly summary?: (data: Data) => ReactNode;
  /** Below the table. */
  readonly footer?: (data: Data) => ReactNode;
  /** Dialogs. */
  readonly children?: ReactNode;
}

/**
 * The page of a resource: its rows as a table, or that there are none.
 *
 * @example
 * <ResourcePage title="Cron" query={list} rows={({ cron_jobs }) => cron_jobs} rowKey={({ name }) => name} columns={COLUMNS} empty={<Empty … />} />
 */
export function ResourcePage<Data, Row>({
  title,
  label = title,
  actions,
  filters,
  query,
  rows: rowsOf,
  empty,
  summary,
  footer,
  children,
  ...table
}: Props<Data, Row>) {
  return (
    <Page title={title} actions={actions}>
      {filters}
      <QueryStates query={query} what={label.toLowerCase()}>
        {(data) => {
          const rows = rowsOf(data);
          return (
            <>
              {summary?.(data)}
              {rows.length === 0 ? empty : <Table label={label} rows={rows} {...table} />}
              {footer?.(data)}
            </>
          );
        }}
      </QueryStates>
      {children}
    </Page>
  );
}
