// Arrays over time as colours: a column for each, a colour bar, and the value under the pointer.
//
// Collaborators: panels/panel.ts (frames, theme, silence), panels/stream.ts (how the stream stands),
// heatmap/columns.ts (what is kept), heatmap/frame.ts (the canvas).
// The rules: the kernel sends values and the view makes colours of them, so that the range follows what is seen;
// the right edge follows the newest column's time, and what has passed since, up to a second.
import { Range } from "./plot/range";
import type { Frame, Model } from "./shared/channel";
import { copyable } from "./shared/copyable";
import { clock, count as grouped, number, quantity } from "./shared/format";
import type { Theme } from "./shared/theme";
import { rowName, type Axis } from "./heatmap/axis";
import { Columns } from "./heatmap/columns";
import { Picture, type Scene } from "./heatmap/frame";
import { capital, make, mark, say, Slowly, StateMark } from "./panels/dom";
import { panel, type Spend, type View } from "./panels/panel";
import { patience, Stream, type Standing, type Told } from "./panels/stream";
import { counted, example } from "./panels/words";

interface State extends Told {
  note: string;
  whole: boolean;
  layout: number;
  rows: number;
  bin: number;
  interval: number | null;
  late: number;
  axis: Axis;
}

/** Decibels below the strongest that a spectrogram shows by itself: what is lower is rounding, not signal. */
const DEEP = 80;
const STILL_MS = 250;
const LARGE = 10;

class Heatmap implements View {
  readonly root: HTMLElement;
  readonly #name: string;
  readonly #window: number;
  readonly #unit: string;
  readonly #fixed: [number, number] | null;
  readonly #zone: string;
  readonly #what: string;
  readonly #still = matchMedia("(prefers-reduced-motion: reduce)");
  #state = new StateMark();
  #pause = make("button", { class: "nbrt-button", type: "button" }, "Pause");
  #picture: Picture;
  #waiting: HTMLElement;
  #empty = make("p", { class: "nbrt-line" });
  #note = make("span", { class: "nbrt-line nbrt-why" });
  #readout = make("span", { class: "nbrt-line nbrt-readout" });
  #counts = make("span", { class: "nbrt-line nbrt-counts nbrt-muted" });
  #voice = make("span", { class: "nbrt-voice", role: "status", "aria-live": "polite" });
  #label = new Slowly<string>((text) => mark(this.root, "aria-label", text));
  #reading = new Slowly<string>((text) => say(this.#readout, text), STILL_MS);

  #last: State | null = null;
  #arrived = 0;
  #layout = -1;
  #stream = new Stream();
  #columns = new Columns();
  #held: { columns: Columns; edge: number } | null = null;
  #range: Range;
  #cursor: { x: number; y: number } | null = null;
  #scene: Scene | null = null;
  #tick: ReturnType<typeof setInterval>;
  #drawing = 0;
  #later: ReturnType<typeof setTimeout> | undefined;
  #drawn = Number.NEGATIVE_INFINITY;
  #resized: ResizeObserver;

  constructor(
    model: Model,
    readonly spend: Spend,
  ) {
    this.#name = String(model.get("topic"));
    this.#what = String(model.get("kind"));
    this.#window = Number(model.get("window"));
    this.#unit = String(model.get("units"));
    this.#zone = String(model.get("time_zone"));
    this.#fixed = model.get("value_range") as [number, number] | null;
    this.#range = new Range(this.#unit, this.#still.matches);
    this.#picture = new Picture(String(model.get("colors")));
    const title = String(model.get("title"));
    const { canvas } = this.#picture;
    for (const [name, value] of Object.entries({
      class: "nbrt-canvas", tabindex: "0", role: "img", "aria-label": `${capital(this.#what)} of ${title || this.#name}; the arrow keys read its values`,
    })) canvas.setAttribute(name, value);
    const sample = this.#what === "spectrogram" || this.#name.includes("*") ? "21.5" : "[1, 4, 9, 16]";
    this.#waiting = make("div", { class: "nbrt-empty", hidden: true }, this.#empty, copyable(`rt.publish(${JSON.stringify(example(this.#name))}, ${sample})`));
    const stage = make("div", { class: "nbrt-stage" }, canvas, this.#waiting);
    stage.style.height = `${Number(model.get("height"))}px`;
    const name = make("span", { class: "nbrt-line nbrt-name", title: this.#name }, title || this.#name);
    if (title) name.dataset.title = "true";
    this.root = make(
      "div",
      { class: "nbrt-stream nbrt-heatmap", role: "group", "aria-roledescription": `live ${this.#what}`, "aria-label": `${capital(this.#what)} of ${this.#name}`, "data-state": "connecting", "data-lm-suppress-shortcuts": "true" },
      make("div", { class: "nbrt-head" }, this.#state.node, name, this.#pause),
      stage,
      make("div", { class: "nbrt-foot" }, this.#note, this.#readout, this.#counts),
      this.#voice,
    );
    this.root.addEventListener("keydown", (event) => event.stopPropagation());
    this.#pause.addEventListener("click", () => this.#hold());
    canvas.addEventListener("pointermove", (event) => this.#point(event));
    canvas.addEventListener("pointerdown", (event) => this.#point(event));
    canvas.addEventListener("pointerleave", () => this.#unpoint());
    canvas.addEventListener("blur", () => this.#unpoint());
    canvas.addEventListener("keydown", (event) => this.#press(event));
    this.#resized = new ResizeObserver(() => this.#draw());
    this.#resized.observe(canvas);
    // The edge goes on between two frames, and stops after a second without one.
    this.#tick = setInterval(() => {
      this.#says();
      if (this.#last && !this.#held && performance.now() - this.#arrived < 1500) this.#soon();
    }, STILL_MS);
    this.#says();
  }

  themed(theme: Theme): void {
    this.#picture.themed(theme.colors());
    this.#draw();
  }

  show(frame: Frame): void {
    const at = frame as unknown as State;
    // What belongs to another picture than the one that is here waits for the whole.
    if (at.layout !== this.#layout && !at.whole) return;
    this.#last = at;
    this.#stream.took(at, performance.now());
    if (at.layout !== this.#layout) this.#range = new Range(this.#unit, this.#still.matches);
    this.#layout = at.layout;
    const before = this.#columns.newest;
    this.#columns.bin = at.bin;
    this.#columns.interval = at.interval;
    this.#columns.take(frame.buffers, at.rows, at.whole, this.#window);
    if (this.#columns.newest !== before) this.#arrived = performance.now() - Math.min(1000, at.age ?? 0);
    this.#says();
    this.#soon();
  }

  silent(seconds: number): void {
    this.#stream.silent(seconds);
    this.#says();
    this.#soon();
  }

  close(): void {
    clearInterval(this.#tick);
    clearTimeout(this.#later);
    cancelAnimationFrame(this.#drawing);
    this.#resized.disconnect();
    this.#label.stop();
    this.#reading.stop();
  }

  // -- the picture --------------------------------------------------------------------

  /** Draws with the next picture of the screen; where motion is to be reduced, four times a second at most. */
  #soon(): void {
    if (this.#drawing || this.#later !== undefined) return;
    const wait = this.#still.matches ? this.#drawn + STILL_MS - performance.now() : 0;
    if (wait > 0) {
      this.#later = setTimeout(() => {
        this.#later = undefined;
        this.#draw();
      }, wait);
    } else {
      this.#drawing = requestAnimationFrame(() => this.#draw());
    }
  }

  #edge(columns: Columns): number {
    const newest = columns.newest;
    if (newest === null) return Date.now() / 1000;
    if (this.#stream.closed) return newest;
    return newest + Math.min(1, Math.max(0, performance.now() - this.#arrived) / 1000);
  }

  #draw(): void {
    cancelAnimationFrame(this.#drawing);
    this.#drawing = 0;
    const began = performance.now();
    const columns = this.#held?.columns ?? this.#columns;
    const to = this.#held?.edge ?? this.#edge(columns);
    const from = to - this.#window;
    let [low, high] = columns.extremes(from);
    if (low !== null && high !== null && this.#what === "spectrogram" && this.#unit.startsWith("dB")) low = Math.max(low, high - DEEP);
    const [least, most] = this.#fixed ?? this.#range.at(low, high, began);
    const { state } = this.#now();
    this.#scene = {
      columns,
      axis: this.#last?.axis ?? { unit: "" },
      from,
      to,
      low: least,
      high: most,
      known: this.#fixed !== null || low !== null,
      unit: this.#unit,
      zone: this.#zone,
      alpha: ["stale", "offline", "silent", "ended", "refused"].includes(state) ? 0.45 : 1,
      cursor: this.#cursor,
    };
    this.#picture.draw(this.#scene);
    if (this.#cursor) this.#reading.set(this.#read());
    const [oldest, newest] = [columns.oldest, columns.newest];
    mark(this.root, "data-t", newest === null ? null : String(Math.round(newest * 1000)));
    mark(this.root, "data-t0", oldest === null ? null : String(Math.round(oldest * 1000)));
    this.#drawn = performance.now();
    this.spend(this.#drawn - began);
    if (this.#range.easing && !this.#held) this.#soon();
  }

  // -- hands on -----------------------------------------------------------------------

  #point(event: PointerEvent): void {
    const { left, top, width, height } = this.#picture.box;
    const x = (event.offsetX - left) / width;
    const y = (event.offsetY - top) / height;
    if (x < 0 || x > 1 || y < 0 || y > 1) this.#unpoint();
    else this.#cross({ x, y });
  }

  #cross(to: { x: number; y: number }): void {
    this.#cursor = to;
    mark(this.root, "data-cursor", "true");
    this.#soon();
  }

  #unpoint(): void {
    if (!this.#cursor) return;
    this.#cursor = null;
    this.#reading.stop();
    say(this.#readout, "");
    mark(this.root, "data-cursor", null);
    this.#soon();
  }

  #press(event: KeyboardEvent): void {
    const columns = this.#held?.columns ?? this.#columns;
    if (event.altKey || event.ctrlKey || event.metaKey || columns.rows === 0) return;
    if (event.key === "Escape") {
      this.#unpoint();
      return;
    }
    const at = this.#cursor ?? { x: 1 - 0.5 / Math.max(1, this.#picture.box.width), y: 0.5 };
    const big = event.shiftKey ? LARGE : 1;
    const across = (big * Math.max(columns.bin, this.#window / 200)) / this.#window;
    const along = big / columns.rows;
    const moves: Record<string, [number, number]> = {
      ArrowLeft: [-across, 0], ArrowRight: [across, 0], ArrowUp: [0, -along], ArrowDown: [0, along], Home: [-1, 0], End: [1, 0],
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    const inside = (part: number): number => Math.min(0.9999, Math.max(0, part));
    const row = Math.floor(inside(at.y) * columns.rows) + 0.5;
    this.#cross({ x: inside(at.x + move[0]), y: inside(row / columns.rows + move[1]) });
    if (this.#scene) {
      const text = this.#read();
      say(this.#readout, text);
      say(this.#voice, text);
    }
  }

  /** "14:02:05 · 120 Hz · −43.2 dB": what is under the crosshair. */
  #read(): string {
    const [scene, at] = [this.#scene, this.#cursor];
    if (!scene || !at || scene.columns.rows === 0) return "";
    const { time, row, value } = this.#picture.spot(scene, at.x, at.y);
    const unit = this.#what === "spectrogram" ? this.#unit.split(" re ")[0]! : this.#unit;
    const shown = value === null || Number.isNaN(value) ? "no value" : unit.startsWith("dB") ? `${number(value)} ${unit}` : quantity(value, unit);
    return [clock(time, true, this.#zone), rowName(scene.axis, scene.columns.rows, row), shown].join(" · ");
  }

  #hold(): void {
    this.#held = this.#stream.hold() ? { columns: this.#columns.copy(), edge: this.#edge(this.#columns) } : null;
    say(this.#pause, this.#held ? "Resume" : "Pause");
    mark(this.root, "data-paused", this.#held ? "true" : null);
    this.#says();
    this.#soon();
  }

  // -- what is said -------------------------------------------------------------------

  #now(): Standing {
    return this.#stream.at(performance.now(), patience(this.#columns.list.slice(-32).map(({ time }) => time)));
  }

  #says(): void {
    const { state, word, why } = this.#now();
    const at = this.#last;
    if (this.root.dataset.state !== state) {
      mark(this.root, "data-state", state);
      this.#soon();
    }
    this.#state.show(state, word);
    mark(this.#pause, "aria-disabled", this.#stream.closed && !this.#held ? "true" : null);
    const said = [why, at?.note ?? ""].filter(Boolean).join(" · ");
    say(this.#note, capital(said, [this.#name]));
    mark(this.#note, "title", said || null);
    mark(this.#note, "data-tone", state === "refused" ? "bad" : said ? "wait" : null);
    const many = at ? (this.#what === "spectrogram" ? counted(at.came, "spectrum", "spectra") : counted(at.came, "message")) : "";
    const counts = at ? [at.rows ? counted(at.rows, "row") : "", many, at.late ? `${grouped(at.late)} late` : ""].filter(Boolean).join(" · ") : "";
    say(this.#counts, counts);
    mark(this.#counts, "title", counts || null);
    this.#waiting.hidden = at === null || this.#columns.list.length > 0;
    mark(this.#waiting, "data-code", String(at?.came === 0 && this.#what !== "spectrogram" && state !== "closed" && state !== "refused"));
    if (!this.#waiting.hidden) say(this.#empty, at?.note ? capital(at.note) : at && at.came > 0 ? "" : this.#stream.nothing(state, this.#name));
    this.#label.set(this.#spoken(word));
  }

  #spoken(word: string): string {
    const { rows, newest } = this.#columns;
    const about = `${capital(this.#what)} of ${this.#name}, ${word.toLowerCase()}`;
    if (newest === null || !this.#scene) return about;
    const { low, high } = this.#scene;
    return `${about}: ${counted(rows, "row")}, values from ${number(low)} to ${number(high)} ${this.#unit}`.trim();
  }
}

export default panel((model, _tell, spend) => new Heatmap(model, spend));
