/** One page of a keyset-paged list. `next` is opaque and null on the last page. */
export interface Page<T> {
  items: T[];
  next: string | null;
}
