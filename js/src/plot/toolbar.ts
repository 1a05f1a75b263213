// The controls of a view: follow again, pause, and the menu; and the note that one of them waits.
//
// The rules: they appear when the pointer or the focus comes, but what says that a view stands
// still stays; they lie over the plot and take no place from it.
import { part } from "./face";
import type { Menu } from "./menu";

const FOLLOW = "M2 3l6 5-6 5zM8 3l6 5-6 5zM13 3h1.5v10H13z";
const PAUSE = "M4 3h3v10H4zM9 3h3v10H9z";
const RESUME = "M4 2.5v11l9-5.5z";

const icon = (shape: string): string => `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${shape}"/></svg>`;

export class Toolbar {
  readonly root = part("div", "nbrt-plot-tools");
  readonly busy = part("div", "nbrt-plot-busy");
  private pauses = part("button", "nbrt-plot-button nbrt-plot-pause");
  private follows = part("button", "nbrt-plot-button nbrt-plot-follow");

  constructor(
    private menu: Menu,
    follow: () => void,
    pause: () => void,
  ) {
    const { follows, pauses } = this;
    this.root.setAttribute("role", "toolbar");
    this.root.setAttribute("aria-label", "Plot controls");
    follows.type = pauses.type = "button";
    follows.innerHTML = `${icon(FOLLOW)}<span>Follow</span>`;
    follows.title = "Zoomed: new data do not move this view";
    follows.hidden = true;
    follows.addEventListener("click", follow);
    pauses.addEventListener("click", pause);
    this.root.dataset.lmSuppressShortcuts = "true";
    this.root.append(follows, pauses, menu.button);
    this.busy.setAttribute("role", "status");
    this.busy.textContent = "Kernel busy, showing what is here";
    this.busy.hidden = true;
  }

  /** Shows what there is to do; `able`: there is something to pause and to save. */
  show(able: boolean, open: boolean, paused: boolean, zoomed: boolean): void {
    const words = paused ? "Resume" : "Pause";
    if (this.pauses.textContent !== words) {
      this.pauses.innerHTML = `${icon(paused ? RESUME : PAUSE)}<span>${words}</span>`;
    }
    this.pauses.disabled = !able || !open;
    this.menu.button.disabled = !able;
    if (!able) this.menu.close(false);
    // Who used it by the keyboard must not fall off the page.
    if (!zoomed && this.follows === document.activeElement) this.menu.button.focus({ preventScroll: true });
    this.follows.hidden = !zoomed;
  }
}
