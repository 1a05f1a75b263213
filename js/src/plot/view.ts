// One view of a live plot: frames in, pixels, states and words out.
//
// Collaborators: channel.ts brings the frames, columns.ts keeps what they say, follow.ts and
// range.ts say where the axes are, words.ts says how it stands, axes.ts has the canvas,
// draw.ts draws the lines, face.ts and legend.ts are the elements around them, hands.ts is all
// that a hand can do with it.
//
// The rules: it draws only when there is something to see (new data, a moving edge, an
// easing range) and only while visible; the pause is this view's own; and nothing moves
// between states, so every notice lies over the plot or has its place kept.
import type { Link, Model } from "../shared/channel";
import { join } from "../shared/channel";
import { Life } from "../shared/life";
import { dress, type Theme } from "../shared/theme";
import { Axes, type Surface } from "./axes";
import { Columns } from "./columns";
import { drawHatch, drawLines, extremes, sunken } from "./draw";
import { fineClock, type Sight } from "./crosshair";
import { face, type Face } from "./face";
import { Follow } from "./follow";
import { Hands } from "./hands";
import type { Header } from "./header";
import { png } from "./image";
import { Legend } from "./legend";
import { nearestLine } from "./nearest";
import { Overlay } from "./overlay";
import { Range, type Bounds } from "./range";
import { part as partOf } from "./scale";
import { sceneOf } from "./scene";
import { Store } from "./store";
import { Words } from "./words";
import { at, type Span } from "./zoom";

/** What a pause keeps: the picture as it was. */
interface Still {
  stores: Store[];
  edge: number;
  newest: number;
  count: number;
}

const CALM_MS = 250;
/** The traits that this view reads; any change draws anew. */
const TRAITS = ["title", "units", "y_range", "height", "scale", "thresholds", "time_zone", "color", "cursor_sync"];
/** What is drawn of a series that is hidden. */
const NOTHING = new Store();

export class PlotView {
  readonly root = document.createElement("div");
  private legend = new Legend(
    (index) => this.hover(index),
    () => this.changed(true),
  );
  private face: Face = face(this.root, this.legend.root);
  private overlay = new Overlay(this.face.stage);
  private words: Words;
  private hands: Hands;
  private theme: Theme;
  private canvas: Axes;
  private link: Link | null = null;
  private columns = new Columns();
  private follow = new Follow();
  private range: Range;
  private came = 0;
  private still: Still | null = null;
  private hovered: number | null = null;
  private drawn = -Infinity;
  private drawnEdge = 0;
  private dirty = true;
  private frame = 0;
  private beat: number;
  private calm = matchMedia("(prefers-reduced-motion: reduce)");
  private shown: readonly Store[] = [];
  private scene: { edge: number; window: number; bounds: Bounds; newest: number } | null = null;
  private size: ResizeObserver;
  private gone = false;
  private life: Life;

  constructor(
    private model: Model,
    el: HTMLElement,
  ) {
    const { root } = this;
    const { stage } = this.face;
    el.append(root);

    this.words = new Words(root, this.face, model);
    this.theme = dress(root, () => this.restyle());
    this.range = new Range(model.get("units"), this.calm.matches);
    this.canvas = new Axes(stage, {
      theme: () => this.theme,
      units: () => this.model.get("units"),
      log: () => this.log,
      zone: () => this.model.get("time_zone"),
      known: () => this.head !== null,
      paint: this.paint,
    });
    this.hands = new Hands({
      model,
      stage,
      link: () => this.link,
      sight: () => this.sight(),
      live: () => this.live,
      extent: () => this.extent(),
      picture: () => this.picture(),
      pause: () => this.pause(),
      resume: () => this.resume(),
      paused: () => this.still !== null,
      closed: () => this.words.state === "closed",
      changed: (fresh) => this.changed(fresh),
    });
    this.size = new ResizeObserver(() => this.fit());
    this.size.observe(stage);
    for (const name of TRAITS) model.on(`change:${name}`, this.configure);
    this.configure();
    this.controls();
    stage.addEventListener("pointermove", this.point);
    stage.addEventListener("pointerleave", this.unpoint);
    this.life = new Life(model, () => this.judge());
    this.beat = setInterval(() => document.hidden || this.judge(), 500) as unknown as number;
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
    this.life.close();
    cancelAnimationFrame(this.frame);
    this.size.disconnect();
    this.hands.close();
    this.theme.close();
    this.link?.close();
    for (const name of TRAITS) this.model.off(`change:${name}`, this.configure);
    this.overlay.close();
    this.canvas.close();
  }

  // -- what comes ---------------------------------------------------------------------

  private get head(): Header | null {
    return this.columns.head;
  }

  /** The columns that there are: the live ones, or the pause's. */
  private get live(): readonly Store[] {
    return this.still?.stores ?? this.columns.stores;
  }

  /** What is shown of them. */
  private get stores(): readonly Store[] {
    const stores = this.hands.lens.stores(this.live, this.still ? -1 : this.columns.version);
    return stores.map((store, index) => (this.legend.hides(index) ? NOTHING : store));
  }

  private receive(head: Header): void {
    const { columns } = this;
    const now = performance.now() / 1000;
    if (head.range) {
      this.hands.take(head, columns.stores.length);
      return;
    }
    const first = columns.head === null;
    const before = columns.labels;
    if (!columns.take(head)) return;
    this.overlay.take(head);
    if (head.whole) this.nameLines();
    if (columns.labels.join("\n") !== before.join("\n")) this.hands.lens.forget();
    this.came = now;
    // What is shown for the first time may have come long ago.
    if (head.newest !== null) this.follow.take(head.newest, first ? now - (head.age ?? 0) : now);
    if (first) {
      delete this.root.dataset.loading;
      // Labels where the skeleton had none, though the scales may be the same.
      this.canvas.redraw();
      this.legend.fold();
    }
    // What stands still in the past changes only its legend, which changes four times a second.
    const { x } = this.hands.lens;
    if (x === null || head.newest === null || x[1] >= head.newest || now * 1000 - this.drawn >= CALM_MS) {
      this.dirty = true;
      this.request();
    }
    if (document.hidden) this.judge();
  }

  private configure = (): void => {
    const { model } = this;
    this.face.title.textContent = model.get("title");
    this.face.title.hidden = !model.get("title");
    this.root.style.height = `${model.get("height")}px`;
    this.range = this.newRange();
    this.overlay.configure(model.get("thresholds"), model.get("time_zone"));
    if (this.head) this.nameLines();
    this.fit();
    this.dirty = true;
    this.request();
  };

  private get log(): boolean {
    return this.model.get("scale") === "log";
  }

  private nameLines(): void {
    const { labels, topics } = this.columns;
    this.legend.name(labels.length ? labels : topics, this.model.get("color"), labels.length > 0);
  }

  private pause(): void {
    const { head, scene } = this;
    if (!head || !scene || head.closed) return;
    const stores = this.columns.stores.map((store) => store.copy());
    this.still = { stores, edge: Math.max(this.drawnEdge, scene.newest), newest: scene.newest, count: head.count };
    this.controls();
    this.judge();
  }

  private resume(): void {
    this.still = null;
    this.judge();
    this.changed(false);
  }

  /** Draws anew; `fresh`: the value axis fits what is shown now, whatever it was before. */
  private changed(fresh: boolean): void {
    if (fresh) this.range = this.newRange();
    this.controls();
    this.dirty = true;
    this.request();
  }

  private newRange(): Range {
    return new Range(this.model.get("units"), this.calm.matches, this.log);
  }

  private controls(): void {
    this.root.dataset.view = this.hands.lens.zoomed ? "zoomed" : "following";
    this.hands.show(this.head?.newest != null && this.words.state !== "empty");
  }

  /** Says what is so now: with news, and twice a second, because ages and silences change without. */
  private judge(): void {
    const [low, high] = this.scene?.bounds ?? [0, 1];
    const changed = this.words.say(this.columns, {
      waited: this.head ? performance.now() / 1000 - this.came : 0,
      silence: this.life.silence(this.link?.silence() ?? 0),
      paused: this.still?.count ?? null,
      zoomed: this.hands.lens.zoomed,
      span: high - low,
    });
    if (changed) this.changed(false);
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
    const { lens } = this.hands;
    const going = this.still === null && this.words.state === "live" && lens.x === null;
    // Judged here too, so that the first sample and its state appear together.
    if (this.dirty && this.still === null) this.judge();
    const edge = this.still?.edge ?? this.follow.at(now, window, calm || this.words.state !== "live");
    const pixels = edge === null || lens.x !== null ? 0 : (Math.abs(edge - this.drawnEdge) / window) * this.canvas.bbox.width;
    if (this.dirty || this.range.easing || pixels >= 0.3) {
      this.dirty = false;
      this.draw(edge, window, ms);
      this.link?.spent(performance.now() - ms);
    }
    if (!away && (this.range.easing || (going && this.follow.moving(now)))) this.request();
  };

  private draw(edge: number | null, window: number, ms: number): void {
    this.drawn = ms;
    const now = edge ?? Math.floor(Date.now() / 1000);
    this.drawnEdge = now;
    const { stores, head, log } = this;
    const { lens } = this.hands;
    const [left, right]: Span = lens.x ?? [now - window, now];
    const seen = lens.x ? stores.map((store) => store.between(left, right)) : stores;
    const [low, high] = extremes(seen, left, log);
    this.overlay.note(log && sunken(seen, left), log);
    const fixed = lens.y ?? (this.model.get("y_range") as Bounds | null);
    const bounds = fixed ?? this.range.at(...this.overlay.reach(low, high, log), ms);
    const newest = this.still?.newest ?? head?.newest ?? now;
    this.scene = { edge: right, window: right - left, bounds, newest };
    // At a million samples a second a short window is a small part of what is kept for the next second.
    this.shown = stores.map((store) => store.reaching(left, right));
    this.canvas.draw([left, right], bounds);
    const caption = this.canvas.captionOf(bounds);
    if (this.face.caption.textContent !== caption) this.face.caption.textContent = caption;
    // What is measured and reported is what was drawn.
    this.root.dataset.shown = [left.toFixed(3), right.toFixed(3), ...bounds.map((value) => Number(value.toPrecision(6)))].join();
    if (head?.newest != null) {
      const oldest = Math.min(...stores.map((store) => store.oldest(left) ?? Infinity));
      this.root.dataset.t = String(Math.round(newest * 1000));
      this.root.dataset.t0 = String(Math.round(Math.min(oldest, newest) * 1000));
    } else {
      delete this.root.dataset.t;
      delete this.root.dataset.t0;
    }
    if (stores.length) {
      const values = this.live.map((store) => store.last);
      this.legend.show(values, this.model.get("units"), ms);
    }
    this.settle();
  }

  private settle(): void {
    const sight = this.sight();
    if (this.gone || sight === null) return;
    const { left, top } = this.canvas.bbox;
    this.hands.settle(left / devicePixelRatio, top / devicePixelRatio, sight);
  }

  /** What is in view; null while there is nothing. */
  private sight(): Sight | null {
    const { scene, canvas, model } = this;
    if (scene === null || this.head?.newest == null) return null;
    return {
      x: [scene.edge - scene.window, scene.edge],
      y: scene.bounds,
      log: this.log,
      stores: this.shown,
      labels: this.columns.labels,
      units: model.get("units"),
      width: canvas.bbox.width / devicePixelRatio,
      height: canvas.bbox.height / devicePixelRatio,
      swatch: (index) => this.legend.swatch(index),
      clock: (seconds, digits) => fineClock(seconds, digits, model.get("time_zone")),
    };
  }

  /** From when to when there is something to look at. */
  private extent(): Span {
    const { head, still } = this;
    const newest = still?.edge ?? Math.max(head?.newest ?? 0, this.drawnEdge);
    return [Math.min(head?.extent?.[0] ?? Infinity, newest - (head?.window ?? 0)), newest];
  }

  private picture(): Promise<Blob> {
    const colors = this.theme.colors();
    return png({
      canvas: this.canvas.element,
      title: this.model.get("title"),
      caption: this.face.caption.textContent ?? "",
      names: this.legend.names(colors.series),
      colors,
    });
  }

  private paint = (surface: Surface): void => {
    const { scene } = this;
    if (!scene || this.head?.newest == null) return;
    const place = sceneOf(surface, devicePixelRatio, scene, this.log);
    const colors = this.theme.colors();
    const stale = this.words.state === "stale";
    this.overlay.behind(place, colors);
    drawLines(place, this.shown, colors, scene.newest, stale ? 0.45 : 1, this.hovered, this.model.get("color"));
    if (stale) drawHatch(place, scene.newest, colors.text);
    this.overlay.front(place, colors, this.model.get("units"));
  };

  private fit(): void {
    // There is no canvas yet when the first configuration is read.
    if (!this.canvas || this.gone || !this.face.stage.clientWidth || !this.face.stage.clientHeight) return;
    this.root.classList.toggle("nbrt-narrow", this.root.clientWidth < 480);
    if (this.canvas.fit()) this.legend.fold();
    this.dirty = true;
    this.request();
  }

  /** The theme, the fonts or the pixels are others. */
  private restyle(): void {
    this.canvas.redraw();
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

  private point = (event: PointerEvent): void => {
    const sight = this.sight();
    if (sight === null || sight.stores.length < 2) return;
    const box = this.face.stage.getBoundingClientRect();
    const { left, top } = this.canvas.bbox;
    const x = event.clientX - box.left - left / devicePixelRatio;
    const y = event.clientY - box.top - top / devicePixelRatio;
    const heightOf = (value: number): number => sight.height * (1 - partOf(value, sight.y, sight.log));
    this.hover(nearestLine(sight.stores, at(sight.x, x / sight.width), y, heightOf));
  };
}
