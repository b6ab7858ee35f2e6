import type { TenantDetail } from '../../../../src/client/index.ts';
import { type Column, Table } from '../../components/table.tsx';
import { LIMITS } from './limits.ts';
import styles from './usage-table.module.css';

interface Row {
  readonly label: string;
  readonly used: number | null;
  readonly limit: number | null;
}

/** What a tenant uses beside its limits. */
export function UsageTable({ tenant: { usage, limits } }: { readonly tenant: TenantDetail }) {
  const rows = LIMITS.map(
    ({ name, label, used }): Row => ({ label, used: used?.(usage) ?? null, limit: limits?.[name] ?? null }),
  );
  return <Table label="Usage and limits" rows={rows} rowKey={({ label }) => label} columns={COLUMNS} />;
}

const COLUMNS: readonly Column<Row>[] = [
  { header: 'Limit', cell: ({ label }) => label },
  { header: 'Used', align: 'end', cell: ({ used }) => (used === null ? '–' : used.toLocaleString()) },
  { header: 'At most', align: 'end', cell: ({ limit }) => (limit === null ? 'unlimited' : limit.toLocaleString()) },
  { header: 'Share', cell: (row) => <Share row={row} /> },
];

function Share({ row: { label, used, limit } }: { readonly row: Row }) {
  if (used === null || limit === null) return '–';
  const share = limit === 0 ? 1 : used / limit;
  return (
    <span className={styles.share}>
      <meter min={0} max={1} high={0.8} optimum={0} value={Math.min(1, share)} aria-label={label} /> {Math.round(share * 100)} %
    </span>
  );
}
