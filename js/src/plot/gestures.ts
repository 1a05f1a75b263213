// Pointer, wheel and keys over the plotting area, as actions.
//
// Collaborators: actions.ts says what there is to do, view.ts does it.
//
// The rules. A mouse's drag selects what to zoom into: along its longer way, with Shift both
// ways; with Alt it moves the picture. One finger moves it, two zoom; up and down a finger
// scrolls the page. The wheel belongs to the page until the hand shows that it means the
// plot: by Ctrl or a pinch, by the focus, by a zoom before, or by moving over it and turning
// towards the data. A page that scrolls under a resting pointer goes on scrolling.
import { actionOf, type Action } from "./actions";
import { part } from "./face";
import { wheelFactor } from "./zoom";

/** Pixels before a press is a drag. */
const SLOP = 6;
/** A turn of the wheel that began as the page's is the page's until it rests for so long. */
const LATCH_MS = 250;

export class Gestures {
  /** Lies exactly over the plotting area, and takes the focus. */
  readonly field = part("div", "nbrt-plot-field");
  private box = part("div", "nbrt-plot-select");
  private down = new Map<number, { x: number; y: number }>();
  private begin: { x: number; y: number; shift: boolean; pan: boolean } | null = null;
  private dragged = false;
  private meant = false;
  private wheeled: { at: number; page: boolean } = { at: -Infinity, page: false };

  constructor(
    private act: (action: Action) => void,
    private zoomed: () => boolean,
  ) {
    const { field } = this;
    field.tabIndex = 0;
    field.setAttribute("role", "application");
    field.setAttribute("aria-roledescription", "plot area");
    field.setAttribute(
      "aria-label",
      "Plot area. Arrows move, plus and minus zoom, Shift and arrows read values, Escape follows, Space pauses.",
    );
    // JupyterLab would take the arrows for moves between cells.
    field.dataset.lmSuppressShortcuts = "true";
    this.box.hidden = true;
    field.append(this.box);
    field.addEventListener("pointerdown", this.press);
    field.addEventListener("pointermove", this.move);
    field.addEventListener("pointerup", this.release);
    field.addEventListener("pointercancel", this.cancel);
    field.addEventListener("pointerleave", this.leave);
    field.addEventListener("dblclick", () => this.act({ do: "follow" }));
    field.addEventListener("wheel", this.wheel, { passive: false });
    field.addEventListener("keydown", this.key);
    field.addEventListener("blur", () => {
      delete field.dataset.pointed;
      this.act({ do: "unpoint" });
    });
    document.addEventListener("scroll", this.scrolled, { capture: true, passive: true });
  }

  close(): void {
    document.removeEventListener("scroll", this.scrolled, { capture: true });
  }

  /** Puts the field over the plotting area, in CSS pixels of the stage. */
  place(left: number, top: number, width: number, height: number): void {
    const to = `${left} ${top} ${width} ${height}`;
    if (this.field.dataset.place === to) return;
    this.field.dataset.place = to;
    Object.assign(this.field.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
  }

  private scrolled = (): void => {
    this.meant = false;
  };

  private at(event: { clientX: number; clientY: number }): { x: number; y: number } {
    const box = this.field.getBoundingClientRect();
    return { x: (event.clientX - box.left) / (box.width || 1), y: 1 - (event.clientY - box.top) / (box.height || 1) };
  }

  private press = (event: PointerEvent): void => {
    if (event.pointerType === "mouse" && event.button !== 0) return;
    const place = this.at(event);
    this.down.set(event.pointerId, place);
    this.field.setPointerCapture(event.pointerId);
    // A drag would select the page's text, and a click must bring the focus here.
    event.preventDefault();
    this.field.focus({ preventScroll: true });
    // A ring is for who comes by the keyboard; what a script focuses has one otherwise.
    this.field.dataset.pointed = "";
    const touch = event.pointerType === "touch";
    this.drop();
    this.begin = this.down.size === 1 ? { ...place, shift: event.shiftKey, pan: touch || event.altKey } : null;
    this.dragged = this.down.size > 1;
  };

  private move = (event: PointerEvent): void => {
    const place = this.at(event);
    const last = this.down.get(event.pointerId);
    if (event.movementX || event.movementY) this.meant = true;
    if (last === undefined) {
      this.act({ do: "point", ...place });
      return;
    }
    if (this.down.size === 2) {
      this.pinch(event.pointerId, last, place);
      return;
    }
    const { begin } = this;
    if (begin === null) return;
    const box = this.field.getBoundingClientRect();
    const [dx, dy] = [(place.x - begin.x) * box.width, (place.y - begin.y) * box.height];
    if (!this.dragged && Math.hypot(dx, dy) < SLOP) return;
    if (!this.dragged && !begin.pan) this.act({ do: "hold" });
    this.dragged = true;
    if (begin.pan) {
      this.act({ do: "pan", axis: "x", by: last.x - place.x });
      if (event.pointerType !== "touch") this.act({ do: "pan", axis: "y", by: last.y - place.y });
      this.down.set(event.pointerId, place);
      return;
    }
    this.act({ do: "unpoint" });
    this.select(begin, place, dx, dy, begin.shift || event.shiftKey);
  };

  /** Shows what would be zoomed into. */
  private select(begin: { x: number; y: number }, place: { x: number; y: number }, dx: number, dy: number, both: boolean): void {
    const wide = both || Math.abs(dx) >= Math.abs(dy);
    const tall = both || !wide;
    const clip = (value: number): number => Math.max(0, Math.min(1, value));
    const [left, right] = wide ? [clip(Math.min(begin.x, place.x)), clip(Math.max(begin.x, place.x))] : [0, 1];
    const [low, high] = tall ? [clip(Math.min(begin.y, place.y)), clip(Math.max(begin.y, place.y))] : [0, 1];
    const percent = (value: number): string => `${100 * value}%`;
    Object.assign(this.box.style, {
      left: percent(left), width: percent(right - left), top: percent(1 - high), height: percent(high - low),
    });
    this.box.dataset.axes = `${wide ? "x" : ""}${tall ? "y" : ""}`;
    this.box.hidden = false;
  }

  private release = (event: PointerEvent): void => {
    const { begin, box } = this;
    const place = this.at(event);
    if (this.down.delete(event.pointerId) && begin !== null) {
      const axes = box.dataset.axes ?? "";
      if (this.dragged && !begin.pan && !box.hidden) {
        const x = axes.includes("x") ? ([begin.x, place.x] as const) : null;
        const y = axes.includes("y") ? ([begin.y, place.y] as const) : null;
        this.act({ do: "select", x, y });
        this.unbox();
      } else if (!this.dragged) {
        this.act({ do: "point", ...place });
      }
    }
    // The finger that stays after a pinch goes on moving the picture.
    const [rest] = this.down.values();
    this.begin = rest ? { ...rest, shift: false, pan: true } : null;
    this.drop();
  };

  private cancel = (event: PointerEvent): void => {
    this.down.delete(event.pointerId);
    this.begin = null;
    this.drop();
  };

  /** Ends a selection without anything selected. */
  private drop(): void {
    if (!this.box.hidden) this.act({ do: "drop" });
    this.unbox();
  }

  private unbox(): void {
    this.box.hidden = true;
    this.box.dataset.axes = "";
  }

  private leave = (event: PointerEvent): void => {
    if (event.pointerType !== "touch" && this.down.size === 0) this.act({ do: "unpoint" });
  };

  private pinch(id: number, last: { x: number; y: number }, place: { x: number; y: number }): void {
    const [other] = [...this.down].filter(([key]) => key !== id).map(([, value]) => value);
    this.down.set(id, place);
    if (!other) return;
    const least = 20 / (this.field.clientWidth || 1);
    const before = Math.max(least, Math.abs(last.x - other.x));
    const after = Math.max(least, Math.abs(place.x - other.x));
    this.act({ do: "pan", axis: "x", by: (last.x - place.x) / 2 });
    this.act({ do: "zoom", axis: "x", place: (place.x + other.x) / 2, factor: before / after });
  }

  private wheel = (event: WheelEvent): void => {
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
    const along = Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : event.deltaY;
    const ours =
      event.ctrlKey ||
      event.metaKey ||
      this.zoomed() ||
      this.field.contains(document.activeElement) ||
      (this.meant && !sideways && event.deltaY < 0);
    const fresh = event.timeStamp - this.wheeled.at > LATCH_MS;
    const page = fresh ? !ours : this.wheeled.page;
    this.wheeled = { at: event.timeStamp, page };
    if (page) return;
    event.preventDefault();
    event.stopPropagation();
    if (sideways) {
      const pixels = along * (event.deltaMode === 1 ? 16 : 1);
      this.act({ do: "pan", axis: "x", by: pixels / (this.field.clientWidth || 1) });
      return;
    }
    const { x, y } = this.at(event);
    const factor = wheelFactor(event.deltaY, event.deltaMode, event.ctrlKey);
    const axis = event.altKey ? "y" : "x";
    this.act({ do: "zoom", axis, place: axis === "x" ? x : y, factor });
  };

  private key = (event: KeyboardEvent): void => {
    delete this.field.dataset.pointed;
    if (event.key === "Escape" && !this.box.hidden) {
      // A drag that is taken back zooms nowhere.
      this.begin = null;
      this.drop();
    } else {
      const action = actionOf(event);
      if (action === null) return;
      this.act(action);
    }
    event.preventDefault();
    event.stopPropagation();
  };
}
