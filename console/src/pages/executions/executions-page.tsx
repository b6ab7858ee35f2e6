import { type KeyboardEvent as ReactKeyboardEvent, useEffect, useRef, useState } from 'react';
import type { ExecutionItem } from '../../../../src/client/index.ts';
import { rowAt } from '../../../../src/views/list-window.ts';
import { Button } from '../../components/button.tsx';
import { ButtonLink } from '../../components/button-link.tsx';
import { Empty } from '../../components/empty.tsx';
import { ErrorNotice } from '../../components/error-notice.tsx';
import { Loading } from '../../components/loading.tsx';
import { useNotices } from '../../components/notices.tsx';
import { Page } from '../../components/page.tsx';
import { navigate, type ParameterChange, useParameters } from '../../routing/hash-location.ts';
import { useSession } from '../../session/session.ts';
import { type BulkAction, BulkDialog, type BulkTarget } from './bulk/bulk-dialog.tsx';
import { JobPanel } from './bulk/job-panel.tsx';
import { SelectionBar } from './bulk/selection-bar.tsx';
import { sumOf } from './counts.ts';
import { ErrorGroups } from './error-groups.tsx';
import styles from './executions.module.css';
import { ActiveFilters, FilterDialog } from './filters.tsx';
import { KeysDialog } from './keys-dialog.tsx';
import { ExecutionList, type ExecutionListHandle } from './list/execution-list.tsx';
import type { Selection } from './list/execution-pages.ts';
import type { SourceState } from './list/execution-source.ts';
import { useExecutionSource } from './list/use-execution-source.ts';
import { SearchBox } from './search-box.tsx';
import { conditionsOf, SELECTING, selectionOf, statusesOf } from './selection.ts';
import { StatusChips } from './status-chips.tsx';
import { usePageKeys } from './use-page-keys.ts';
import { MAX_CHOSEN, useSelected } from './use-selected.ts';

/** All executions of the tenant: live, filtered by what is in the URL, with bulk actions. */
export function ExecutionsPage() {
  const { can } = useSession();
  const notices = useNotices();
  const [parameters, change] = useParameters();
  const selection = selectionOf(parameters);
  const selectionKey = JSON.stringify(selection);
  const { source, state } = useExecutionSource(selection);
  const selected = useSelected(selectionKey);
  const [active, setActive] = useState<{ readonly rank: number; readonly id: string | null } | null>(null);
  const lastChosen = useRef<number | null>(null);
  const [dialog, setDialog] = useState<'filters' | 'keys' | { readonly action: BulkAction; readonly target: BulkTarget } | null>(
    null,
  );
  const search = useRef<HTMLInputElement>(null);
  const list = useRef<ExecutionListHandle>(null);
  const { window: loaded, counts } = state;
  const canAct = can('write');
  const byError = parameters.get('view') === 'errors';
  const conditions = conditionsOf(parameters);
  const isFiltered = SELECTING.some((name) => parameters.has(name));
  const matching = counts === null ? null : sumOf(counts, conditions.status);
  const activeRank = active === null ? null : rankOf(active, loaded);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another list begins at its top
  useEffect(() => {
    setActive(null);
    lastChosen.current = null;
  }, [selectionKey]);

  const open = (execution: ExecutionItem): void => navigate(`/executions/${execution.id}`);
  const select = (ids: readonly string[], isSelected: boolean): void => {
    if (!selected.set(ids, isSelected))
      notices.failed(new Error(`At most ${MAX_CHOSEN.toLocaleString()} executions can be selected one by one.`));
  };
  const onSelect = ({ id }: ExecutionItem, rank: number, withRange: boolean): void => {
    const from = withRange && lastChosen.current !== null ? lastChosen.current : rank;
    lastChosen.current = rank;
    setActive({ rank, id });
    const range = loaded.rows.slice(Math.max(0, Math.min(from, rank) - loaded.start), Math.max(from, rank) + 1 - loaded.start);
    select(
      range.map((row) => row.id),
      !selected.has(id),
    );
  };
  const onSelectAll = (isSelected: boolean): void => {
    if (selection.kind === 'conditions') selected.setAll(isSelected);
    else
      select(
        loaded.rows.map(({ id }) => id),
        isSelected,
      );
  };
  const moveTo = (rank: number): void => {
    const last = state.total - 1;
    if (last < 0) return;
    const to = Math.max(0, Math.min(rank, last));
    setActive({ rank: to, id: rowAt(loaded, to)?.id ?? null });
    list.current?.reveal(to);
  };
  const onKey = usePageKeys({
    next: () => moveTo(activeRank === null ? 0 : activeRank + 1),
    previous: () => moveTo(activeRank === null ? 0 : activeRank - 1),
    first: () => moveTo(0),
    last: () => moveTo(state.total - 1),
    open: () => {
      const row = activeRank === null ? null : rowAt(loaded, activeRank);
      if (row !== null) open(row);
    },
    select: () => {
      const row = activeRank === null ? null : rowAt(loaded, activeRank);
      if (row !== null && activeRank !== null && canAct) onSelect(row, activeRank, false);
    },
    search: () => search.current?.focus(),
    keys: () => setDialog('keys'),
    clear: () => selected.setAll(false),
  });

  const filter = (to: ParameterChange): void => change({ ...to, view: undefined });
  const act = (action: BulkAction): void => {
    const ids = [...selected.ids];
    setDialog({
      action,
      target: selected.isAll ? { kind: 'matching', conditions, count: matching } : { kind: 'chosen', ids },
    });
  };
  const count = selected.isAll ? matching : selected.ids.size;
  return (
    <div className={styles.page}>
      <Page
        title="Executions"
        actions={
          canAct && (
            <ButtonLink href="/workflows?start=1" kind="primary">
              Start
            </ButtonLink>
          )
        }
      >
        <div className={styles.toolbar}>
          <SearchBox
            ref={search}
            onId={(digits) => filter({ id: digits })}
            onLabel={(label) => filter({ label: [...new Set([...parameters.getAll('label'), label])], id: undefined })}
          />
          <Button onClick={() => setDialog('filters')}>Filter</Button>
          {isFiltered && (
            <Button kind="quiet" onClick={() => filter(Object.fromEntries(SELECTING.map((name) => [name, undefined])))}>
              Clear filters
            </Button>
          )}
          <span className={styles.views}>
            <Button aria-pressed={!byError} onClick={() => change({ view: undefined })}>
              List
            </Button>
            <Button aria-pressed={byError} onClick={() => change({ view: 'errors' })}>
              By error
            </Button>
          </span>
        </div>
        <StatusChips
          counts={counts}
          selected={statusesOf(parameters)}
          onSelect={(statuses) => change({ status: statuses.join(','), id: undefined })}
        />
        <ActiveFilters parameters={parameters} onChange={change} />
        {parameters.get('job') !== null && (
          <JobPanel id={parameters.get('job') ?? ''} onClose={() => change({ job: undefined })} />
        )}
        {state.error !== null && <ErrorNotice error={state.error} onRetry={() => source.reload()} />}
        {byError ? (
          <ErrorGroups
            conditions={conditions}
            onChoose={(error) => filter({ error, id: undefined })}
            onRetry={(error, size) =>
              setDialog({ action: 'retry', target: { kind: 'matching', conditions: { ...conditions, error }, count: size } })
            }
          />
        ) : (
          <>
            {canAct && count !== 0 && (
              <SelectionBar
                count={count}
                isAll={selected.isAll}
                selectAll={
                  selection.kind === 'id' || matching === selected.ids.size
                    ? null
                    : `Select all ${matching?.toLocaleString() ?? ''} that match`
                }
                onAct={act}
                onSelectAll={() => selected.setAll(true)}
                onClear={() => selected.setAll(false)}
              />
            )}
            {state.isLoading && <Loading what="executions" />}
            {!state.isLoading && state.total === 0 && !state.hasMore && state.error === null && (
              <NoExecutions isFiltered={isFiltered} />
            )}
            {(state.total > 0 || state.hasMore) && (
              <ExecutionList
                key={selectionKey}
                ref={list}
                source={source}
                state={state}
                activeRank={activeRank}
                isSelected={selected.has}
                isAllSelected={selected.isAll}
                canSelect={canAct}
                onSelect={onSelect}
                onSelectAll={onSelectAll}
                onOpen={open}
                onKeyDown={(event: ReactKeyboardEvent) => onKey(event.nativeEvent, true)}
              />
            )}
            <p className={styles.status}>
              <span>{state.error === null && countText(state, selection, matching)}</span>
              <span className={styles.hint}>
                <kbd>?</kbd> keys
              </span>
            </p>
          </>
        )}
      </Page>
      {dialog === 'filters' && <FilterDialog parameters={parameters} onChange={filter} onClose={() => setDialog(null)} />}
      {dialog === 'keys' && <KeysDialog onClose={() => setDialog(null)} />}
      {dialog !== null && typeof dialog === 'object' && (
        <BulkDialog
          {...dialog}
          onStarted={({ id }) => {
            setDialog(null);
            selected.setAll(false);
            change({ job: id });
          }}
          onClose={() => setDialog(null)}
        />
      )}
    </div>
  );
}

function countText({ total, hasMore, counts }: SourceState, { kind }: Selection, matching: number | null): string {
  if (kind === 'id') return `${hasMore ? 'More than ' : ''}${executions(total)}`;
  if (matching === null || counts === null) return 'Counting …';
  return `${counts.more ? 'At least ' : ''}${executions(matching)}`;
}

function executions(count: number): string {
  return `${count.toLocaleString()} ${count === 1 ? 'execution' : 'executions'}`;
}

/** Where the row is now, after others came or went. */
function rankOf(
  { rank, id }: { readonly rank: number; readonly id: string | null },
  loaded: { readonly start: number; readonly rows: readonly ExecutionItem[] },
): number {
  const index = id === null ? -1 : loaded.rows.findIndex((row) => row.id === id);
  return index < 0 ? rank : loaded.start + index;
}

function NoExecutions({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered) return <Empty title="No execution matches">Take a filter away to see more.</Empty>;
  return (
    <Empty title="Nothing has been started yet">
      <p>
        Start a <a href="#/workflows">workflow</a> here, or with <code>jamjet run workflow.yaml</code>.
      </p>
    </Empty>
  );
}
