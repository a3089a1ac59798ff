import { Button } from "@mantine/core";
import { tableFeatures, useTable, type ColumnDef } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useEffectEvent, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import classes from "./data-table.module.css";
import { ArrowUpIcon } from "./icons.tsx";
import { useShortcuts } from "./shortcuts.ts";
import { useWidth } from "./size.ts";
import { Failed } from "./states.tsx";

const features = tableFeatures({});

export interface Column<T> {
  id: string;
  header: string;
  cell: (row: T) => ReactNode;
  /** As of CSS grid: `120px`, `minmax(0, 2fr)`. */
  width: string;
  /** Shown from this width of the table on, in pixels. */
  from?: number;
  align?: "end";
  sort?: { direction: "ascending" | "descending" | undefined; toggle: () => void };
}

export interface DataTableProps<T> {
  label: string;
  columns: Column<T>[];
  /** Two lines instead of columns, where the table is narrow. */
  renderCard: (row: T) => ReactNode;
  /** These and what follows of loading are a list of the server whole: `{...list}`. */
  rows: T[];
  idOf: (row: T) => string;
  /** What a screen reader says of a row. */
  nameOf: (row: T) => string;
  selected?: string | undefined;
  onSelect?: (row: T) => void;
  /** More keys for the row that has the focus. */
  keys?: Record<string, (row: T) => void>;
  loading?: boolean;
  error?: Error | null;
  retry?: () => void;
  hasMore?: boolean;
  loadingMore?: boolean;
  loadMore?: () => void;
  empty: ReactNode;
  /** Rows to point out because they have just come. */
  fresh?: ReadonlySet<string>;
  /** A note over the first rows; pressing it goes to the top. */
  pill?: { text: string; onPress: () => void } | undefined;
  /** Under this width rows are cards. */
  cardsBelow?: number;
  /** Whether j and k move here; false for a table inside a detail. */
  primary?: boolean;
  /** Tells whether the first row is in view. */
  onTop?: (top: boolean) => void;
}

const rowHeight = 38;
const cardHeight = 62;
const narrow = 560;
/** Rows before the end at which the next page is asked for. */
const ahead = 12;

/**
 * Rows of one kind. Only what is in view is in the page; the next page comes as the end draws near. j, k and the arrows
 * move, Enter opens.
 */
export function DataTable<T extends object>(props: DataTableProps<T>) {
  const { label, rows, idOf, selected, loading = false, error, retry, hasMore = false } = props;
  const [sizeRef, width] = useWidth();
  const scroller = useRef<HTMLDivElement>(null);
  const cards = width > 0 && width < (props.cardsBelow ?? narrow);
  const columns = useMemo(
    () => props.columns.filter((column) => width === 0 || width >= (column.from ?? 0)),
    [props.columns, width],
  );
  const table = useTable({ features, columns: useColumnDefs<T>(columns), data: rows, getRowId: idOf });
  const items = table.getRowModel().rows;
  const height = cards ? cardHeight : rowHeight;
  // oxlint-disable-next-line react/incompatible-library -- it re-renders this component by itself
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    getItemKey: (index) => items[index]?.id ?? index,
    overscan: 8,
  });
  useEffect(() => virtual.measure(), [virtual, height]);

  useShownAtFirst(
    items.findIndex((row) => row.id === selected),
    (index) => virtual.scrollToIndex(index, { align: "center" }),
  );
  const { active, setActive, onKeyDown } = useActiveRow(props, (index) => virtual.scrollToIndex(index), scroller);
  const visible = virtual.getVirtualItems();
  useLoadAhead(props, visible.at(-1)?.index ?? 0);
  const template = columns.map((column) => column.width).join(" ");
  const isEmpty = items.length === 0;

  return (
    <div className={classes.table} ref={sizeRef}>
      {props.pill && (
        <button
          type="button"
          className={classes.pill}
          onClick={() => {
            props.pill?.onPress();
            virtual.scrollToOffset(0);
          }}
        >
          <ArrowUpIcon size={13} />
          {props.pill.text}
        </button>
      )}
      <div
        role="grid"
        aria-label={label}
        aria-rowcount={hasMore ? -1 : items.length + 1}
        aria-busy={loading}
        className={classes.grid}
        style={{ "--columns": template } as React.CSSProperties}
      >
        <div role="rowgroup" className={cards ? "hidden-text" : classes.head}>
          <div role="row" aria-rowindex={1} className={classes.headRow}>
            {columns.map((column) => (
              <HeadCell key={column.id} column={column} />
            ))}
          </div>
        </div>
        {/* Keys are heard here for the row that has the focus. */}
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
        <div
          role="rowgroup"
          className={classes.body}
          ref={scroller}
          onKeyDown={onKeyDown}
          onScroll={(event) => props.onTop?.(event.currentTarget.scrollTop < rowHeight / 2)}
          // Firefox and Chromium make a box that scrolls a stop of its own; its rows are the stops here.
          tabIndex={isEmpty ? undefined : -1}
        >
          <div className={classes.space} style={{ height: virtual.getTotalSize() }} role="presentation">
            {visible.map(({ index, key, start }) => {
              const row = items[index];
              if (!row) return null;
              const id = row.id;
              return (
                <div
                  key={key}
                  role="row"
                  data-index={index}
                  aria-rowindex={index + 2}
                  aria-selected={id === selected}
                  aria-label={props.nameOf(row.original)}
                  tabIndex={index === active ? 0 : -1}
                  className={`${cards ? classes.card : classes.row} ${props.fresh?.has(id) ? classes.fresh : ""}`}
                  style={{ height, transform: `translateY(${start}px)` }}
                  onClick={(event) => {
                    if ((event.target as HTMLElement).closest("a, button")) return;
                    setActive(index);
                    props.onSelect?.(row.original);
                  }}
                  onKeyDown={() => undefined}
                >
                  {cards ? (
                    <div role="gridcell" className={classes.cardCell} aria-colspan={columns.length}>
                      {props.renderCard(row.original)}
                    </div>
                  ) : (
                    row.getAllCells().map((cell, at) => (
                      <div key={cell.id} role="gridcell" className={classes.cell} data-align={columns[at]?.align}>
                        {columns[at]?.cell(row.original)}
                      </div>
                    ))
                  )}
                </div>
              );
            })}
          </div>
          {hasMore && !isEmpty && <More {...props} />}
        </div>
      </div>
      {isEmpty && (
        <div className={classes.instead}>
          {loading ? <SkeletonRows /> : error ? <Failed error={error} {...(retry && { retry })} /> : props.empty}
        </div>
      )}
    </div>
  );
}

function More<T>({ error, retry, loadingMore = false, loadMore }: DataTableProps<T>) {
  const { t } = useTranslation();
  return (
    <div role="row" className={classes.more}>
      <div role="gridcell">
        {error ? (
          <Button variant="default" onClick={retry}>
            {t("state.retry")}
          </Button>
        ) : (
          <Button variant="subtle" color="gray" loading={loadingMore} onClick={loadMore}>
            {t("table.more")}
          </Button>
        )}
      </div>
    </div>
  );
}

function useColumnDefs<T extends object>(columns: Column<T>[]): ColumnDef<typeof features, T>[] {
  return useMemo(() => columns.map(({ id, header }) => ({ id, header })), [columns]);
}

function HeadCell<T>({ column }: { column: Column<T> }) {
  const { sort, header, align } = column;
  return (
    <div role="columnheader" className={classes.headCell} data-align={align} aria-sort={sort?.direction}>
      {sort ? (
        <button type="button" className={classes.sort} onClick={sort.toggle}>
          {header}
          {sort.direction && (
            <ArrowUpIcon size={11} className={sort.direction === "descending" ? classes.down : undefined} />
          )}
        </button>
      ) : (
        <span className="cut">{header}</span>
      )}
    </div>
  );
}

/** A row that the address names is brought into view once, when it is there. */
function useShownAtFirst(index: number, scrollTo: (index: number) => void): void {
  const done = useRef(false);
  const show = useEffectEvent(scrollTo);
  useEffect(() => {
    if (done.current || index === -1) return;
    done.current = true;
    show(index);
  }, [index]);
}

/** The row that Tab reaches; it follows its id when rows come above it. */
function useActiveRow<T>(
  { rows, idOf, selected, onSelect, keys, primary = true }: DataTableProps<T>,
  scrollTo: (index: number) => void,
  scroller: React.RefObject<HTMLDivElement | null>,
) {
  const [activeId, setActiveId] = useState<string | undefined>(selected);
  const found = rows.findIndex((row) => idOf(row) === activeId);
  const active = found === -1 ? 0 : found;

  const setActive = (index: number): void => {
    const row = rows[index];
    if (row) setActiveId(idOf(row));
  };
  const move = (step: number): void => {
    const next = found === -1 ? 0 : Math.max(0, Math.min(rows.length - 1, active + step));
    const row = rows[next];
    if (!row) return;
    setActiveId(idOf(row));
    scrollTo(next);
    const focus = (): boolean => {
      const row = scroller.current?.querySelector<HTMLElement>(`[data-index="${next}"]`);
      row?.focus({ preventScroll: true });
      return row !== undefined && row !== null;
    };
    // At once, so that a quick Enter finds it; a row far away comes into the page only after it was scrolled to.
    if (!focus()) requestAnimationFrame(focus);
    // With a detail open, it shows the row that was moved to.
    if (selected !== undefined) onSelect?.(row);
  };
  const act = (action: ((row: T) => void) | undefined): void => {
    const row = rows[active];
    if (row && found !== -1) action?.(row);
  };

  const own = Object.entries(keys ?? {}).map(([key, action]) => [key, () => act(action)] as const);
  useShortcuts(primary ? { j: () => move(1), k: () => move(-1), ...Object.fromEntries(own) } : {});

  const onKeyDown = (event: KeyboardEvent): void => {
    if ((event.target as HTMLElement).getAttribute("role") !== "row") return;
    const steps: Record<string, number> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: 10,
      PageUp: -10,
      Home: -1e9,
      End: 1e9,
    };
    const step = steps[event.key];
    if (step === undefined && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    if (step !== undefined) return move(step);
    // The row that has the focus, also one that was reached by Tab and is not yet the active one.
    const row = rows[Number((event.target as HTMLElement).dataset["index"])];
    if (!row) return;
    setActiveId(idOf(row));
    onSelect?.(row);
  };
  return { active, setActive, onKeyDown };
}

function useLoadAhead<T>({ rows, hasMore, loadingMore, loadMore, error }: DataTableProps<T>, last: number): void {
  useEffect(() => {
    if (hasMore && !loadingMore && !error && rows.length > 0 && last >= rows.length - ahead) loadMore?.();
  }, [last, rows.length, hasMore, loadingMore, loadMore, error]);
}

function SkeletonRows() {
  const { t } = useTranslation();
  return (
    <div role="status">
      <span className="hidden-text">{t("state.loading")}</span>
      {Array.from({ length: 8 }, (_, index) => (
        <div key={`row${index}`} className={classes.skeleton}>
          <span style={{ width: 70 }} />
          <span style={{ width: `${34 - ((index * 7) % 16)}%` }} />
          <span style={{ width: `${22 - ((index * 5) % 12)}%` }} />
        </div>
      ))}
    </div>
  );
}
