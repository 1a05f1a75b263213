// One view of a live plot: frames in, pixels, states and words out.
//
// Collaborators: channel.ts brings the frames, store.ts keeps what they say, follow.ts and
// range.ts say where the axes are, status.ts which state it is in, uPlot lays out the axes
// and owns the canvas, draw.ts draws the lines, legend.ts the names.
//
// The rules: it draws only when there is something to see (new data, a moving edge, an
// easing range) and only while visible; the pause is this view's own; and nothing moves
// between states, so every notice lies over the plot or has its place kept.
import uPlot from "uplot";
import type { Frame, Link, Model } from "../shared/channel";
import { join } from "../shared/channel";
import { copyable } from "../shared/copyable";
import { quantity, zone } from "../shared/format";
import { dress, fade, type Theme } from "../shared/theme";
import { drawHatch, drawLines, extremes, type Scene } from "./draw";
import { Follow } from "./follow";
import { Legend } from "./legend";
import { Range, type Bounds } from "./range";
import { statusOf, trend, type State, type Status } from "./status";
import { bytesOf, Store, type Entry } from "./store";
import { timeTicks, valueTicks } from "./ticks";

interface Header extends Frame {
  whole: boolean;
  window: number;
  newest: number | null;
  age: number | null;
  connected: boolean;
  reason: string;
  text: string;
  count: number;
  closed?: number;
  topics?: string[];
  series?: { label: string; topic: string; field: string }[];
  data: Entry[];
}

/** What a pause keeps: the picture as it was. */
interface Still {
  stores: Store[];
  edge: number;
  newest: number;
  count: number;
}

const LABEL_MS = 3000;
const CALM_MS = 250;
/** Pixels between the axes' right end and the canvas'. */
const EDGE = 12;

let ids = 0;

export class PlotView {
  readonly root = document.createElement("div");
  private title = document.createElement("div");
  private status = document.createElement("span");
  private statusText = document.createElement("span");
  private stage = document.createElement("div");
  private notice = document.createElement("div");
  private caption = document.createElement("span");
  private button = document.createElement("button");
  private legend = new Legend((index) => this.hover(index));
  private theme: Theme;
  private plot: uPlot;
  private link: Link | null = null;
  private stores: Store[] = [];
  private labels: string[] = [];
  private topics: string[] = [];
  private follow = new Follow();
  private range: Range;
  private head: Header | null = null;
  private came = 0;
  private still: Still | null = null;
  private state: State = "empty";
  private hovered: number | null = null;
  private drawn = -Infinity;
  private drawnEdge = 0;
  private dirty = true;
  private frame = 0;
  private beat: number;
  private calm = matchMedia("(prefers-reduced-motion: reduce)");
  private labelled = -Infinity;
  private scene: { edge: number; window: number; bounds: Bounds; newest: number } | null = null;
  private size: ResizeObserver;
  private gone = false;

  constructor(
    private model: Model,
    el: HTMLElement,
  ) {
    const { root } = this;
    root.className = "nbrt-plot";
    root.setAttribute("role", "group");
    root.setAttribute("aria-roledescription", "live plot");
    root.dataset.state = "empty";
    this.title.className = "nbrt-plot-title";
    this.title.id = `nbrt-plot-${++ids}`;
    this.status.className = "nbrt-plot-status";
    this.status.innerHTML = `<span class="nbrt-dot" aria-hidden="true"></span>`;
    this.status.append(this.statusText);
    const top = document.createElement("div");
    top.className = "nbrt-plot-top";
    top.append(this.legend.root, this.status);
    this.stage.className = "nbrt-plot-stage";
    this.notice.className = "nbrt-plot-notice";
    this.notice.hidden = true;
    this.caption.className = "nbrt-plot-caption";
    this.button.className = "nbrt-plot-button";
    this.button.type = "button";
    this.button.addEventListener("click", () => (this.still ? this.resume() : this.pause()));
    this.stage.append(this.caption, this.button, this.notice);
    root.append(this.title, top, this.stage);
    el.append(root);

    this.theme = dress(root, () => this.restyle());
    this.range = new Range(model.get("units"), this.calm.matches);
    this.plot = this.build();
    this.size = new ResizeObserver(() => this.fit());
    this.size.observe(this.stage);
    for (const name of ["title", "units", "y_range", "height"]) model.on(`change:${name}`, this.configure);
    this.configure();
    this.nameButton();
    this.stage.addEventListener("pointermove", this.point);
    this.stage.addEventListener("pointerleave", this.unpoint);
    this.beat = setInterval(() => this.tick(), 500) as unknown as number;
    // Axes of nothing at first; words only when the kernel took its time.
    root.dataset.loading = "";
    this.request();
  }

  async connect(): Promise<void> {
    const link = await join(this.model, this.root, {
      receive: (frame) => this.receive(frame as Header),
      visible: (flag) => {
        if (flag) this.fit();
        this.dirty = true;
        if (flag) this.request();
      },
    });
    if (this.gone) link.close();
    else this.link = link;
  }

  close(): void {
    this.gone = true;
    clearInterval(this.beat);
    cancelAnimationFrame(this.frame);
    this.size.disconnect();
    this.theme.close();
    this.link?.close();
    for (const name of ["title", "units", "y_range", "height"]) this.model.off(`change:${name}`, this.configure);
    this.plot.destroy();
  }

  // -- what comes ---------------------------------------------------------------------

  private receive(head: Header): void {
    const now = performance.now() / 1000;
    const first = this.head === null;
    // News of a picture that is not here yet: the snapshot that follows has it all.
    if (first && !head.whole) return;
    if (head.whole) {
      this.labels = head.series!.map((one) => one.label);
      this.topics = head.topics!;
      this.legend.name(this.labels.length ? this.labels : this.topics);
      if (this.stores.length !== this.labels.length) this.stores = this.labels.map(() => new Store());
      if (head.newest === null) for (const store of this.stores) store.start = store.end = 0;
    }
    let offset = 0;
    const view = head.buffers[0] ?? null;
    for (const entry of head.data) {
      this.stores[entry.series]?.take(entry, view, offset, head.window);
      offset += bytesOf(entry);
    }
    this.head = head;
    this.came = now;
    if (head.newest !== null) {
      // What is shown for the first time may have come long ago.
      this.follow.take(head.newest, first ? now - (head.age ?? 0) : now);
      for (const store of this.stores) store.trim(head.newest - head.window * 1.02 - 1);
    }
    if (first) {
      delete this.root.dataset.loading;
      // Labels where the skeleton had none, though the scales may be the same.
      this.plot.redraw(false, true);
      this.legend.fold();
    }
    this.dirty = true;
    this.request();
    if (document.hidden) this.judge();
  }

  private configure = (): void => {
    const { model } = this;
    this.title.textContent = model.get("title");
    this.title.hidden = !model.get("title");
    this.root.style.height = `${model.get("height")}px`;
    this.range = new Range(model.get("units"), this.calm.matches);
    this.fit();
    this.dirty = true;
    this.request();
  };

  private pause(): void {
    const { head, scene } = this;
    if (!head || !scene || head.closed) return;
    const stores = this.stores.map((store) => store.copy());
    this.still = { stores, edge: scene.edge, newest: scene.newest, count: head.count };
    this.nameButton();
    this.judge();
  }

  private resume(): void {
    this.still = null;
    this.nameButton();
    this.judge();
    this.dirty = true;
    this.request();
  }

  private nameButton(): void {
    const paused = this.still !== null;
    const words = paused ? "Resume" : "Pause";
    const shape = paused ? "M4 2.5v11l9-5.5z" : "M4 3h3v10H4zM9 3h3v10H9z";
    this.button.innerHTML = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${shape}"/></svg>${words}`;
    this.button.disabled = this.head === null || this.state === "closed" || this.state === "empty";
  }

  // -- states and words ---------------------------------------------------------------

  /** Twice a second: what changes without news (ages, silences). */
  private tick(): void {
    if (!document.hidden) this.judge();
  }

  private judge(): void {
    const { head } = this;
    const now = performance.now() / 1000;
    const waited = head ? now - this.came : 0;
    const silence = this.link?.silence() ?? 0;
    const intervals = this.stores.map((store) => store.interval ?? 0);
    const status = statusOf({
      closed: head?.closed ?? null,
      pausedNew: this.still && head ? head.count - this.still.count : null,
      hasData: head?.newest != null,
      connected: head?.connected ?? false,
      age: head?.age != null ? head.age + waited : null,
      interval: Math.max(0, ...intervals),
      silence,
      reason: head?.reason ?? "",
      undrawable: Boolean(head?.text),
    });
    this.show(status);
    this.describe(status);
  }

  private show(status: Status): void {
    const { root } = this;
    if (this.statusText.textContent !== status.text) {
      this.statusText.textContent = status.text;
      this.status.title = status.text;
    }
    if (status.state !== this.state) {
      this.state = status.state;
      root.dataset.state = status.state;
      this.nameButton();
      this.dirty = true;
      this.request();
    }
    this.notify(status);
  }

  private notify(status: Status): void {
    const { head } = this;
    const topic = this.topics[0] ?? "";
    const text = head?.text ?? "";
    const show = head !== null && status.state === "empty";
    const key = show ? `${topic}\n${text}\n${status.text}` : "";
    if (this.notice.dataset.key === key) return;
    this.notice.dataset.key = key;
    this.notice.hidden = !show;
    this.notice.replaceChildren();
    if (!show) return;
    const line = (words: string, name: string): void => {
      const p = document.createElement("p");
      p.className = name;
      p.textContent = words;
      this.notice.append(p);
    };
    if (text) {
      line(text, "nbrt-plot-waiting");
      return;
    }
    line(`Waiting for ${this.topics.join(", ")}`, "nbrt-plot-waiting");
    if (status.text !== "waiting") line(status.text, "nbrt-plot-why");
    this.notice.append(copyable(`rt.publish(${JSON.stringify(topic)}, 21.5)`, "nbrt-plot-code"));
  }

  private describe(status: Status): void {
    const now = performance.now();
    if (!this.head) {
      this.root.setAttribute("aria-label", "loading");
      return;
    }
    if (now - this.labelled < LABEL_MS) return;
    this.labelled = now;
    const unit = this.model.get("units");
    const values = this.stores.slice(0, 3).map((store, index) => {
      const value = store.last === null ? "" : ` ${quantity(store.last, unit)}`;
      const back = Math.max(store.start, store.end - 1 - Math.ceil((store.end - store.start) / 10));
      const before = store.end > store.start ? store.value[back]! : null;
      const [low, high] = this.scene?.bounds ?? [0, 1];
      const way = status.state === "live" ? trend(before, store.last, high - low) : "";
      return `${this.labels[index]}${value}${way ? `, ${way}` : ""}`;
    });
    const rest = this.stores.length > 3 ? `; and ${this.stores.length - 3} more` : "";
    const names = values.length ? values.join("; ") + rest : this.topics.join(", ");
    const label = [this.model.get("title"), names, status.text].filter(Boolean).join(": ");
    if (label !== this.root.getAttribute("aria-label")) this.root.setAttribute("aria-label", label || "live plot");
  }

  // -- drawing ------------------------------------------------------------------------

  private request(): void {
    if (this.frame === 0 && !this.gone) this.frame = requestAnimationFrame(this.animate);
  }

  private animate = (): void => {
    this.frame = 0;
    if (this.gone || document.hidden) return;
    // Scrolled away it draws what comes, once a second, so that what it says of itself stays true.
    const away = this.link !== null && !this.link.isVisible();
    const ms = performance.now();
    const now = ms / 1000;
    const calm = this.calm.matches;
    const window = this.head?.window ?? this.model.get("window");
    if (calm && ms - this.drawn < CALM_MS) {
      setTimeout(() => this.request(), CALM_MS - (ms - this.drawn));
      return;
    }
    const going = this.still === null && this.state === "live";
    // Judged here too, so that the first sample and its state appear together.
    if (this.dirty && this.still === null) this.judge();
    const edge = this.still?.edge ?? this.follow.at(now, window, calm || this.state !== "live");
    const pixels = edge === null ? 0 : (Math.abs(edge - this.drawnEdge) / window) * this.plot.bbox.width;
    if (this.dirty || this.range.easing || pixels >= 0.3) {
      this.dirty = false;
      this.draw(edge, window, ms);
      this.link?.spent(performance.now() - ms);
    }
    if (!away && (this.range.easing || (going && this.follow.moving(now)))) this.request();
  };

  private draw(edge: number | null, window: number, ms: number): void {
    this.drawn = ms;
    const right = edge ?? Math.floor(Date.now() / 1000);
    this.drawnEdge = right;
    const stores = this.still?.stores ?? this.stores;
    const [low, high] = extremes(stores, right - window);
    const fixed = this.model.get("y_range") as Bounds | null;
    const bounds = fixed ?? this.range.at(low, high, ms);
    const newest = this.still?.newest ?? this.head?.newest ?? right;
    this.scene = { edge: right, window, bounds, newest };
    this.plot.batch(() => {
      this.plot.setScale("x", { min: right - window, max: right });
      this.plot.setScale("y", { min: bounds[0], max: bounds[1] });
    });
    // uPlot commits in a microtask; what is measured and reported is what was drawn.
    const { caption } = valueTicks(bounds[0], bounds[1], this.plot.bbox.height / devicePixelRatio, this.model.get("units"));
    if (this.caption.textContent !== caption) this.caption.textContent = caption;
    if (this.head?.newest != null) {
      const oldest = Math.min(...stores.map((store) => store.oldest(right - window) ?? Infinity));
      this.root.dataset.t = String(Math.round(newest * 1000));
      this.root.dataset.t0 = String(Math.round(Math.min(oldest, newest) * 1000));
    } else {
      delete this.root.dataset.t;
      delete this.root.dataset.t0;
    }
    if (this.stores.length) {
      const shown = this.still?.stores ?? this.stores;
      this.legend.show(
        shown.map((store) => store.last),
        this.model.get("units"),
        ms,
      );
    }
  }

  private paint = (u: uPlot): void => {
    const { scene } = this;
    if (!scene || this.head?.newest == null) return;
    const { ctx, bbox } = u;
    const [low, high] = scene.bounds;
    const place: Scene = {
      ctx,
      left: bbox.left,
      top: bbox.top,
      width: bbox.width,
      height: bbox.height,
      ratio: devicePixelRatio,
      t0: scene.edge - scene.window,
      perSecond: bbox.width / scene.window,
      low,
      perValue: bbox.height / (high - low || 1),
    };
    const colors = this.theme.colors();
    const stale = this.state === "stale";
    drawLines(place, this.still?.stores ?? this.stores, colors, scene.newest, stale ? 0.45 : 1, this.hovered);
    if (stale) drawHatch(place, scene.newest, colors.text);
  };

  private build(): uPlot {
    const text = (): string => this.theme.colors().muted;
    const line = (): string => fade(this.theme.colors().text, 0.12);
    const font = `11px ${this.theme.colors().font}`;
    let times = timeTicks(0, 1, 100);
    let values = valueTicks(0, 1, 100, "");
    const options: uPlot.Options = {
      // As large as the last one: what is scrolled away has no width, and its observer keeps silent
      // when it comes back as large as it was.
      width: this.plot?.width ?? 280,
      height: this.plot?.height ?? 160,
      // Above: a row for the unit's caption, so that a long one does not meet the highest label.
      padding: [18, EDGE, 0, 0],
      legend: { show: false },
      // Gestures come whole or not at all.
      cursor: { show: false },
      scales: {
        x: { time: false, auto: false, range: (_, min, max) => [min, max] },
        y: { auto: false, range: (_, min, max) => [min, max] },
      },
      series: [{}, { show: true, paths: () => null, points: { show: false } }],
      axes: [
        {
          stroke: text,
          font,
          size: 40,
          gap: 4,
          grid: { show: false },
          border: { show: true, stroke: line, width: 1 },
          ticks: { show: true, stroke: line, width: 1, size: 4 },
          splits: (u, _axis, min, max) => {
            times = timeTicks(min, max, u.bbox.width / devicePixelRatio, EDGE);
            return times.at;
          },
          values: () => (this.head ? times.labels : times.labels.map(() => "")),
        },
        {
          stroke: text,
          font,
          size: (_u, labels) => 16 + Math.max(28, ...(labels ?? []).map((label) => 6.6 * label.length)),
          gap: 4,
          grid: { show: true, stroke: line, width: 1 },
          ticks: { show: false },
          splits: (u, _axis, min, max) => {
            values = valueTicks(min, max, u.bbox.height / devicePixelRatio, this.model.get("units"));
            return values.at;
          },
          values: () => (this.head ? values.labels : values.labels.map(() => "")),
        },
      ],
      hooks: {
        draw: [
          (u) => {
            this.paint(u);
            this.nameZone(u);
          },
        ],
      },
    };
    const plot = new uPlot(options, [[0, 1], [null, null]], this.stage);
    plot.root.setAttribute("aria-hidden", "true");
    return plot;
  }

  /** The zone, at the right end of the row that holds the date. */
  private nameZone(u: uPlot): void {
    const { ctx, bbox } = u;
    const ratio = devicePixelRatio;
    const colors = this.theme.colors();
    ctx.save();
    ctx.font = `${11 * ratio}px ${colors.font}`;
    ctx.fillStyle = colors.muted;
    ctx.textAlign = "right";
    ctx.textBaseline = "top";
    const name = this.head === null ? "" : zone(this.scene?.edge ?? Date.now() / 1000);
    ctx.fillText(name, bbox.left + bbox.width, bbox.top + bbox.height + 24 * ratio);
    ctx.restore();
  }

  private fit(): void {
    // uPlot does not exist yet when the first configuration is read.
    if (!this.plot || this.gone) return;
    const { clientWidth, clientHeight } = this.stage;
    if (!clientWidth || !clientHeight) return;
    this.root.classList.toggle("nbrt-narrow", this.root.clientWidth < 480);
    if (clientWidth !== this.plot.width || clientHeight !== this.plot.height) {
      this.plot.setSize({ width: clientWidth, height: clientHeight });
      this.legend.fold();
    }
    this.dirty = true;
    this.request();
  }

  /** The theme, the fonts or the pixels are others. */
  private restyle(): void {
    // Fonts are in the axes' options and the ratio in uPlot's canvas: it is made anew.
    this.plot.destroy();
    this.plot = this.build();
    this.fit();
  }

  // -- the pointer --------------------------------------------------------------------

  private hover(index: number | null): void {
    if (index === this.hovered) return;
    this.hovered = index;
    this.legend.mark(index);
    this.dirty = true;
    this.request();
  }

  private unpoint = (): void => this.hover(null);

  /** The line nearest to the pointer, within 12 pixels. */
  private point = (event: PointerEvent): void => {
    const { scene } = this;
    const stores = this.still?.stores ?? this.stores;
    if (!scene || stores.length < 2) return;
    const box = this.plot.over.getBoundingClientRect();
    const x = scene.edge - scene.window * (1 - (event.clientX - box.left) / box.width);
    const [low, high] = scene.bounds;
    let best = 12;
    let found: number | null = null;
    stores.forEach((store, index) => {
      let from = store.start;
      let to = store.end - 1;
      while (from < to) {
        const middle = (from + to + 1) >> 1;
        if (store.time[middle]! <= x) from = middle;
        else to = middle - 1;
      }
      const value = store.value[from];
      if (value === undefined || Number.isNaN(value) || store.end === store.start) return;
      const y = box.top + box.height * (1 - (value - low) / (high - low || 1));
      const far = Math.abs(event.clientY - y);
      if (far < best) {
        best = far;
        found = index;
      }
    });
    this.hover(found);
  };
}
