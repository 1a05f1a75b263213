// Names, dashes and values above a plot: one row, at most two, then "+n".
//
// The rules: values stand in cells of fixed width and change at most four times a second, so
// that nothing trembles and everything can be read; each name is a button that hides its
// series in this view, and with Shift all others; and a name that is cut is heard in full.
import { quantity } from "../shared/format";
import { crowd, inked, paints, styled, type Paint } from "./palette";
import type { Shown } from "./image";
import { short } from "./short";
import { swatch, type Look } from "./swatch";

const NAMED = 8;
const VALUE_MS = 250;

interface Item {
  root: HTMLButtonElement;
  name: HTMLElement;
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
  private painted: readonly Paint[] | null = null;
  private hidden = new Set<string>();
  private able = false;

  constructor(
    private hovered: (index: number | null) => void,
    private changed: () => void,
  ) {
    this.root.className = "nbrt-legend";
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", "Series");
    // JupyterLab would take the space that presses a button.
    this.root.dataset.lmSuppressShortcuts = "true";
    this.more.className = "nbrt-legend-more";
  }

  /** Whether a series is not to be seen. */
  hides(index: number): boolean {
    return this.able && this.hidden.has(this.labels[index]!);
  }

  /**
   * Shows these names; the first eight, when there are more. `given` are the colours that were
   * chosen; `able`: they are series already, and can be hidden.
   */
  name(labels: readonly string[], given: readonly string[] = [], able = true): void {
    const same = labels.join("\n") === this.labels.join("\n") && given.join() === this.given.join();
    if (same && able === this.able && this.items.length) return;
    this.labels = labels;
    this.given = given;
    this.able = able;
    this.painted = paints(labels.length, given);
    this.items = labels.slice(0, NAMED).map((label, index) => {
      const root = document.createElement("button");
      root.className = "nbrt-legend-item";
      root.type = "button";
      root.disabled = !able;
      root.title = able ? `${label}: click hides it, Shift and click all others` : label;
      root.innerHTML = swatch(this.swatch(index));
      const name = document.createElement("span");
      name.className = "nbrt-legend-name";
      const value = document.createElement("span");
      value.className = "nbrt-legend-value";
      value.textContent = "—";
      root.append(name, value);
      root.addEventListener("pointerenter", () => this.hovered(index));
      root.addEventListener("pointerleave", () => this.hovered(null));
      root.addEventListener("focus", () => this.hovered(root.matches(":focus-visible") ? index : null));
      root.addEventListener("blur", () => this.hovered(null));
      root.addEventListener("click", (event) => this.toggle(label, event.shiftKey));
      return { root, name, value, text: "—" };
    });
    this.root.replaceChildren(...this.items.map((item) => item.root), this.more);
    this.press();
    this.fold();
  }

  private toggle(label: string, alone: boolean): void {
    const others = this.labels.filter((one) => one !== label);
    if (alone) {
      // Alone already: everything comes back.
      const back = !this.hidden.has(label) && others.every((one) => this.hidden.has(one));
      this.hidden = new Set(back ? [] : others);
    } else if (!this.hidden.delete(label)) this.hidden.add(label);
    this.press();
    this.changed();
  }

  private press(): void {
    this.items.forEach(({ root }, index) => {
      if (this.able) root.setAttribute("aria-pressed", String(!this.hides(index)));
    });
    this.updated = -Infinity;
  }

  private paintOf(index: number): Paint {
    return this.painted?.[index] ?? crowd(this.given);
  }

  /** A series' colour, for CSS, and dash. */
  swatch(index: number): Look {
    const paint = this.paintOf(index);
    return { color: styled(paint), dash: paint.dash.join(" ") };
  }

  /** The names for a picture, with their colours as a canvas takes them. */
  names(series: readonly string[]): Shown["names"] {
    return this.items.map(({ text }, index) => {
      const paint = this.paintOf(index);
      return { name: this.labels[index]!, value: text, color: inked(paint, series), dash: paint.dash, hidden: this.hides(index) };
    });
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
      this.tell(item, index);
    });
  }

  /** What a button is called for who hears it, where it does not say so itself. */
  private tell({ root, name, text }: Item, index: number): void {
    const label = this.labels[index]!;
    if (name.textContent !== label) root.setAttribute("aria-label", `${label} ${text}`);
    else root.removeAttribute("aria-label");
  }

  /** Which line the pointer is on. */
  mark(index: number | null): void {
    this.items.forEach((item, at) => item.root.classList.toggle("nbrt-hovered", at === index));
  }

  /** Shortens names to their places, hides what does not fit two rows, and says how many. */
  fold(): void {
    const total = this.labels.length;
    const names = short(this.labels.slice(0, NAMED), this.root.closest(".nbrt-narrow") ? 14 : 22);
    this.items.forEach((item, index) => {
      item.name.textContent = names[index]!;
      this.tell(item, index);
    });
    const many = total > NAMED;
    for (const item of this.items) item.root.hidden = false;
    this.more.hidden = !many;
    this.more.textContent = many ? `${total} series, ${NAMED} named` : "";
    this.root.classList.remove("nbrt-two");
    if (this.items.length < 2 || !this.root.isConnected) return;
    const top = this.items[0]!.root.offsetTop;
    const height = this.items[0]!.root.offsetHeight;
    const limit = top + 2 * height + 6;
    let shown = this.items.length;
    const last = (): HTMLElement => (this.more.hidden ? this.items[shown - 1]!.root : this.more);
    const over = (): boolean => last().offsetTop + last().offsetHeight > limit;
    while (shown > 1 && over()) {
      shown--;
      this.items[shown]!.root.hidden = true;
      this.more.hidden = false;
      this.more.textContent = many ? `${total} series, ${shown} named` : `+${total - shown}`;
    }
    // Beside two rows there is room for two lines of what the plot says of itself.
    this.root.classList.toggle("nbrt-two", last().offsetTop > top);
  }
}
