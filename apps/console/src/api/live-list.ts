import type { Page } from "@bulwark/model";
import { useInfiniteQuery, useQueryClient, type InfiniteData, type QueryKey } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";

export interface LiveList<T> {
  rows: T[];
  loading: boolean;
  error: Error | null;
  retry: () => void;
  hasMore: boolean;
  loadingMore: boolean;
  loadMore: () => void;
  /** Replaces rows by their key; `undefined` takes one out. */
  change: (changes: Map<string, T | undefined>) => void;
  /** Puts new rows where the order has them. */
  insert: (rows: T[]) => void;
  refetch: () => void;
  pages: number;
}

export interface LiveListOptions<T> {
  queryKey: QueryKey;
  fetchPage: (cursor: string | undefined) => Promise<Page<T>>;
  idOf: (row: T) => string;
  /** Below 0 when the first is shown before the second; needed for `insert`. */
  order?: (one: T, other: T) => number;
}

const none: never[] = [];

/** A list that the server pages by key, as one growing array that can be changed in place. */
export function useLiveList<T>({ queryKey, fetchPage, idOf, order }: LiveListOptions<T>): LiveList<T> {
  type Data = InfiniteData<Page<T>, string | undefined>;
  const client = useQueryClient();
  const query = useInfiniteQuery({
    queryKey,
    queryFn: async ({ pageParam }) => fetchPage(pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const { data, fetchNextPage, isFetchingNextPage, hasNextPage, isFetchNextPageError, refetch } = query;
  const rows = useMemo(() => (data ? unique(data.pages, idOf) : none), [data, idOf]);
  // Keys are made anew at each render; their text is what tells them apart.
  const text = JSON.stringify(queryKey);

  const update = useCallback(
    (change: (items: T[], page: number, pages: Page<T>[]) => T[]) => {
      client.setQueryData<Data>(JSON.parse(text) as QueryKey, (old) => {
        if (!old) return old;
        const pages = old.pages.map((page, index) => ({ ...page, items: change(page.items, index, old.pages) }));
        return { ...old, pages };
      });
    },
    [client, text],
  );

  const change = useCallback(
    (changes: Map<string, T | undefined>) =>
      update((items) =>
        items.flatMap((item) => {
          const id = idOf(item);
          if (!changes.has(id)) return [item];
          const next = changes.get(id);
          return next === undefined ? [] : [next];
        }),
      ),
    [update, idOf],
  );

  const insert = useCallback(
    (added: T[]) => {
      if (!order) return;
      update((items, index, pages) => {
        const before = pages[index - 1]?.items.at(-1);
        const isLast = index === pages.length - 1;
        const end = isLast && pages[index]?.next !== null ? items.at(-1) : undefined;
        const fitting = added.filter((row) => {
          if (before !== undefined && order(row, before) < 0) return false;
          const last = isLast ? end : items.at(-1);
          return last === undefined || order(row, last) < 0;
        });
        if (fitting.length === 0) return items;
        const known = new Set(items.map(idOf));
        return [...fitting.filter((row) => !known.has(idOf(row))), ...items].sort(order);
      });
    },
    [update, order, idOf],
  );

  return {
    rows,
    loading: query.isPending,
    error: rows.length === 0 || isFetchNextPageError ? query.error : null,
    retry: useCallback(
      () => void (isFetchNextPageError ? fetchNextPage() : refetch()),
      [isFetchNextPageError, fetchNextPage, refetch],
    ),
    hasMore: hasNextPage,
    loadingMore: isFetchingNextPage,
    loadMore: useCallback(() => void fetchNextPage({ cancelRefetch: false }), [fetchNextPage]),
    change,
    insert,
    refetch: useCallback(() => void refetch(), [refetch]),
    pages: data?.pages.length ?? 0,
  };
}

/** Pages are fetched at different moments, so that a row may be in two. */
function unique<T>(pages: Page<T>[], idOf: (row: T) => string): T[] {
  const known = new Set<string>();
  return pages.flatMap((page) =>
    page.items.filter((item) => {
      const id = idOf(item);
      if (known.has(id)) return false;
      known.add(id);
      return true;
    }),
  );
}
