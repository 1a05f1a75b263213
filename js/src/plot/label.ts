// A plot in words, for who hears it: title, newest values and where they go, state.
//
// Collaborators: view.ts sets it as `aria-label`, at most every three seconds.
//
// Pure.
import { quantity } from "../shared/format";
import { trend, type Status } from "./status";
import type { Store } from "./store";

export interface Told {
  title: string;
  units: string;
  labels: readonly string[];
  topics: readonly string[];
  stores: readonly Store[];
  status: Status;
  /** What the value axis spans: what counts as steady. */
  span: number;
}

const NAMED = 3;

export function labelOf({ title, units, labels, topics, stores, status, span }: Told): string {
  const values = stores.slice(0, NAMED).map((store, index) => {
    const value = store.last === null ? "" : ` ${quantity(store.last, units)}`;
    const back = Math.max(store.start, store.end - 1 - Math.ceil((store.end - store.start) / 10));
    const before = store.end > store.start ? store.value[back]! : null;
    const way = status.state === "live" ? trend(before, store.last, span) : "";
    return `${labels[index]}${value}${way ? `, ${way}` : ""}`;
  });
  const rest = stores.length > NAMED ? `; and ${stores.length - NAMED} more` : "";
  const names = values.length ? values.join("; ") + rest : topics.join(", ");
  return [title, names, status.text].filter(Boolean).join(": ") || "live plot";
}
