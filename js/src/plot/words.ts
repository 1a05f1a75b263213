// What a view says of itself: its state by dot and word, the notice over an empty plot, and
// the sentence for who hears it.
//
// Collaborators: status.ts finds the state, notice.ts and label.ts have the words, face.ts
// the elements; view.ts says when.
//
// The one rule: the state's words may change twice a second, the sentence every three.
import type { Model } from "../shared/channel";
import type { Columns } from "./columns";
import type { Face } from "./face";
import { labelOf } from "./label";
import { notify } from "./notice";
import { statusOf, type State, type Status } from "./status";

export interface Seen {
  /** Seconds since the last frame, and without a word from the kernel. */
  waited: number;
  silence: number;
  /** The count of messages when it was paused; null when it is not. */
  paused: number | null;
  zoomed: boolean;
  /** What the value axis spans. */
  span: number;
}

const LABEL_MS = 3000;

export class Words {
  state: State = "empty";
  private labelled = -Infinity;

  constructor(
    private root: HTMLElement,
    private face: Face,
    private model: Model,
  ) {}

  /** Says what is so now; true if the state is another than before. */
  say(columns: Columns, seen: Seen): boolean {
    const { head } = columns;
    const intervals = columns.stores.map((store) => store.interval ?? 0);
    const status = statusOf({
      closed: head?.closed ?? null,
      zone: this.model.get("time_zone"),
      pausedNew: seen.paused !== null && head ? head.count - seen.paused : null,
      hasData: head?.newest != null,
      connected: head?.connected ?? false,
      age: head?.age != null ? head.age + seen.waited : null,
      interval: Math.max(0, ...intervals),
      silence: seen.silence,
      reason: head?.reason ?? "",
      undrawable: Boolean(head?.text),
      refused: head?.refused,
    });
    const { statusText, notice } = this.face;
    if (statusText.textContent !== status.text) {
      statusText.textContent = status.text;
      this.face.status.title = status.text;
    }
    const changed = status.state !== this.state;
    if (changed) this.root.dataset.state = this.state = status.state;
    notify(notice, status, columns.topics, head);
    this.describe(columns, status, seen);
    return changed;
  }

  private describe(columns: Columns, status: Status, { zoomed, span }: Seen): void {
    const { root, model } = this;
    const now = performance.now();
    if (!columns.head) {
      root.setAttribute("aria-label", "loading");
      return;
    }
    if (now - this.labelled < LABEL_MS) return;
    this.labelled = now;
    const { labels, topics, stores } = columns;
    const text = zoomed ? `${status.text}, zoomed` : status.text;
    const [title, units] = [model.get("title"), model.get("units")];
    const label = labelOf({ title, units, labels, topics, stores, status: { ...status, text }, span });
    if (label !== root.getAttribute("aria-label")) root.setAttribute("aria-label", label);
  }
}
