// Everything that a view holds of its plot: the series' columns and their names.
//
// Collaborators: view.ts hands over the frames, store.ts keeps one series each.
//
// The one rule: news of a picture that is not here yet are dropped; the snapshot that
// follows has them all.
import type { Header } from "./header";
import { bytesOf, Store } from "./store";

export class Columns {
  stores: Store[] = [];
  labels: string[] = [];
  topics: string[] = [];
  head: Header | null = null;
  /** Counts what changed. */
  version = 0;

  /** Takes a frame; false if it was of no use. */
  take(head: Header): boolean {
    if (this.head === null && !head.whole) return false;
    if (head.whole) {
      this.labels = head.series!.map((one) => one.label);
      this.topics = head.topics!;
      if (this.stores.length !== this.labels.length) this.stores = this.labels.map(() => new Store());
      if (head.newest === null) for (const store of this.stores) store.start = store.end = 0;
    }
    unpack(head, this.stores);
    this.head = head;
    this.version++;
    if (head.newest !== null) {
      for (const store of this.stores) store.trim(head.newest - head.window * 1.02 - 1);
    }
    return true;
  }
}

/** Puts a frame's entries into the stores that they name. */
export function unpack(head: Pick<Header, "data" | "buffers" | "window">, stores: readonly Store[]): void {
  let offset = 0;
  const view = head.buffers[0] ?? null;
  for (const entry of head.data) {
    stores[entry.series]?.take(entry, view, offset, head.window);
    offset += bytesOf(entry);
  }
}
