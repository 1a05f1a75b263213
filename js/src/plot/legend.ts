// Names, dashes and values above a plot: one row, at most two, then "+n".
//
// The one rule: values stand in cells of fixed width and change at most four times a
// second, so that nothing trembles and everything can be read.
import { quantity } from "../shared/format";
import { crowd, paints, styled } from "./palette";

const NAMED = 8;
const VALUE_MS = 250;

interface Item {
  root: HTMLElement;
  value: HTMLElement;
  text: string;
}

export class Legend {
  readonly root = document.createElement("div");
  private items: Item[] = [];
  private more = document.createElement("span");
  private updated = -Infinity;
  private labels: readonly string[] = [];
  private given: readonly string[] = [];

  constructor(private hovered: (index: number | null) => void) {
    this.root.className = "nbrt-legend";
    this.more.className = "nbrt-legend-more";
  }

  /** Shows these names; the first eight, when there are more. `given` are the colours that were chosen. */
  name(labels: readonly string[], given: readonly string[] = []): void {
    if (labels.join("\n") === this.labels.join("\n") && given.join() === this.given.join() && this.items.length) return;
    this.labels = labels;
    this.given = given;
    const painted = paints(labels.length, given);
    this.items = labels.slice(0, NAMED).map((label, index) => {
      const root = document.createElement("span");
      root.className = "nbrt-legend-item";
      root.title = label;
      const paint = painted?.[index] ?? crowd(given);
      const [dash, color] = [paint.dash.join(" "), styled(paint)];
      root.innerHTML =
        `<svg class="nbrt-swatch" viewBox="0 0 16 4" aria-hidden="true"><line x1="0" y1="2" x2="16" y2="2" ` +
        `style="stroke:${color};stroke-dasharray:${dash || "none"}"/></svg>`;
      const name = document.createElement("span");
      name.className = "nbrt-legend-name";
      name.textContent = label;
      const value = document.createElement("span");
      value.className = "nbrt-legend-value";
      value.textContent = "—";
      root.append(name, value);
      root.addEventListener("pointerenter", () => this.hovered(index));
      root.addEventListener("pointerleave", () => this.hovered(null));
      return { root, value, text: "—" };
    });
    this.root.replaceChildren(...this.items.map((item) => item.root), this.more);
    this.fold();
    this.updated = -Infinity;
  }

  /** The newest values, at most every 250 ms; `now` in ms. */
  show(values: readonly (number | null)[], unit: string, now: number): void {
    if (now - this.updated < VALUE_MS) return;
    this.updated = now;
    this.items.forEach((item, index) => {
      const text = quantity(values[index], unit);
      if (text === item.text) return;
      item.text = text;
      item.value.textContent = text;
    });
  }

  /** Which line the pointer is on. */
  mark(index: number | null): void {
    this.items.forEach((item, at) => item.root.classList.toggle("nbrt-hovered", at === index));
  }

  /** Hides what does not fit two rows, and says how many. */
  fold(): void {
    const total = this.labels.length;
    const many = total > NAMED;
    for (const item of this.items) item.root.hidden = false;
    this.more.hidden = !many;
    this.more.textContent = many ? `${total} series, ${NAMED} named` : "";
    if (this.items.length < 2 || !this.root.isConnected) return;
    const top = this.items[0]!.root.offsetTop;
    const height = this.items[0]!.root.offsetHeight;
    const limit = top + 2 * height + 6;
    let shown = this.items.length;
    const over = (): boolean => {
      const last = this.more.hidden ? this.items[shown - 1]!.root : this.more;
      return last.offsetTop + last.offsetHeight > limit;
    };
    while (shown > 1 && over()) {
      shown--;
      this.items[shown]!.root.hidden = true;
      this.more.hidden = false;
      this.more.textContent = many ? `${total} series, ${shown} named` : `+${total - shown}`;
    }
  }
}
