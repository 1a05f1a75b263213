// A button with a menu: a plot's rarer doings.
//
// Collaborators: view.ts says what the items do. The pattern is the WAI-ARIA menu button.
//
// The one rule: what an item came to is said in the menu itself, below the items, which stay.
import { part } from "./face";

export interface Item {
  name: string;
  /** Resolves to what it came to; what it throws is said too. */
  run(say: (words: string) => void): Promise<string>;
}

let ids = 0;

export class Menu {
  readonly button = part("button", "nbrt-plot-button nbrt-plot-more");
  readonly list = part("div", "nbrt-plot-menu");
  private said = part("div", "nbrt-plot-said");
  private items: HTMLButtonElement[];

  constructor(items: readonly Item[]) {
    const { button, list, said } = this;
    list.id = `nbrt-plot-menu-${++ids}`;
    button.type = "button";
    button.title = "Save or copy";
    button.setAttribute("aria-label", "Save or copy");
    button.setAttribute("aria-haspopup", "menu");
    button.setAttribute("aria-controls", list.id);
    button.innerHTML =
      `<svg viewBox="0 0 16 16" aria-hidden="true"><circle cx="3" cy="8" r="1.5"/>` +
      `<circle cx="8" cy="8" r="1.5"/><circle cx="13" cy="8" r="1.5"/></svg>`;
    const rows = part("div", "nbrt-plot-items");
    rows.setAttribute("role", "menu");
    rows.setAttribute("aria-label", "Save or copy");
    this.items = items.map((item) => {
      const row = part("button", "nbrt-plot-item");
      row.type = "button";
      row.tabIndex = -1;
      row.setAttribute("role", "menuitem");
      row.textContent = item.name;
      row.addEventListener("click", () => void this.run(item));
      row.addEventListener("pointerenter", () => row.focus({ preventScroll: true }));
      return row;
    });
    rows.append(...this.items);
    said.setAttribute("role", "status");
    list.append(rows, said);
    list.dataset.lmSuppressShortcuts = button.dataset.lmSuppressShortcuts = "true";
    this.close(false);
    button.addEventListener("click", () => (this.list.hidden ? this.open(0) : this.close()));
    button.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      event.preventDefault();
      this.open(event.key === "ArrowUp" ? -1 : 0);
    });
    list.addEventListener("keydown", this.key);
    list.addEventListener("focusout", (event) => {
      const to = event.relatedTarget as Node | null;
      if (to !== null && !list.contains(to) && to !== button) this.close(false);
    });
    document.addEventListener("pointerdown", this.outside, true);
  }

  end(): void {
    document.removeEventListener("pointerdown", this.outside, true);
  }

  private outside = (event: Event): void => {
    const path = event.composedPath();
    if (!this.list.hidden && !path.includes(this.list) && !path.includes(this.button)) this.close(false);
  };

  private open(index: number): void {
    this.list.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.said.textContent = "";
    this.said.classList.add("nbrt-plot-quiet");
    this.items.at(index)!.focus({ preventScroll: true });
  }

  close(back = true): void {
    this.list.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
    if (back) this.button.focus({ preventScroll: true });
  }

  private async run(item: Item): Promise<void> {
    const say = (words: string): void => {
      this.said.textContent = this.said.title = words;
      this.said.classList.toggle("nbrt-plot-quiet", words === "");
    };
    say("");
    try {
      say(await item.run(say));
    } catch (error) {
      say(error instanceof Error ? error.message : String(error));
    }
  }

  private key = (event: KeyboardEvent): void => {
    const now = this.items.indexOf(document.activeElement as HTMLButtonElement);
    const count = this.items.length;
    const to = { ArrowDown: (now + 1) % count, ArrowUp: (now + count - 1) % count, Home: 0, End: count - 1 }[event.key];
    if (to !== undefined) this.items[to]!.focus({ preventScroll: true });
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
}
