// What stands on a plot beside the data: thresholds, annotations, alerts, and what they say.
//
// Collaborators: view.ts hands over frames and traits and calls it around the lines;
// thresholds.ts and marks.ts say where things are and draw them.
//
// The one rule: what is drawn can also be read: whole texts under the pointer, and in a list
// for who hears the page.
import { clock, day } from "../shared/format";
import type { Colors } from "../shared/theme";
import type { Scene } from "./scene";
import { hide, part } from "./face";
import { drawFlags, Rows, under, type Flag, type Mark } from "./marks";
import { drawTags, drawThresholds, Near, tags, type Line } from "./thresholds";

/** What of a frame's header is drawn here; what a frame does not mention stays as it was. */
export interface Told {
  annotations?: Mark[];
  marks?: Mark[];
  lines?: Line[];
}

const HEARD = 20;

export class Overlay {
  private thresholds: readonly Line[] = [];
  private lines: readonly Line[] = [];
  private annotations: readonly Mark[] = [];
  private marks: readonly Mark[] = [];
  private zone = "";
  private near = new Near();
  private rows = new Rows();
  private flags: readonly Flag[] = [];
  private scene: Scene | null = null;
  private tip = part("div", "nbrt-plot-tip");
  private list = part("ul", "nbrt-plot-heard");
  private remark = part("span", "nbrt-plot-remark");
  private widths = new Map<string, number>();
  private font = "";

  constructor(private stage: HTMLElement) {
    this.tip.hidden = this.remark.hidden = this.list.hidden = true;
    this.tip.setAttribute("role", "tooltip");
    this.list.setAttribute("aria-label", "Annotations");
    this.remark.textContent = "values ≤ 0 are gaps";
    this.remark.title = this.remark.textContent;
    stage.append(this.tip, this.list, this.remark);
    stage.addEventListener("pointermove", this.point);
    stage.addEventListener("pointerleave", this.leave);
  }

  close(): void {
    this.stage.removeEventListener("pointermove", this.point);
    this.stage.removeEventListener("pointerleave", this.leave);
  }

  /** The traits. */
  configure(thresholds: readonly Line[], zone: string): void {
    this.thresholds = thresholds;
    this.zone = zone;
    this.hear();
  }

  /** A frame. */
  take(told: Told): void {
    const before = [this.annotations, this.marks];
    this.annotations = told.annotations ?? this.annotations;
    this.marks = told.marks ?? this.marks;
    this.lines = told.lines ?? this.lines;
    if (before[0] !== this.annotations || before[1] !== this.marks) this.hear();
  }

  /** The extremes of the data with those of the thresholds that belong into the picture. */
  reach(low: number | null, high: number | null, log: boolean): [number | null, number | null] {
    return this.near.reach(low, high, [...this.thresholds, ...this.lines], log);
  }

  /** Says once that a log scale leaves something out. */
  note(sunken: boolean, log: boolean): void {
    if (!log) hide(this.remark, true);
    else if (sunken) hide(this.remark, false);
  }

  /** Under the lines. */
  behind(scene: Scene, colors: Colors): void {
    drawThresholds(scene, [...this.thresholds, ...this.lines], colors);
  }

  /** Over the lines. */
  front(scene: Scene, colors: Colors, unit: string): void {
    const { ctx, ratio } = scene;
    this.scene = scene;
    if (this.thresholds.length + this.lines.length + this.annotations.length + this.marks.length === 0) {
      this.flags = [];
      return;
    }
    ctx.save();
    const font = `${11 * ratio}px ${colors.font}`;
    if (font !== this.font || this.widths.size > 1000) this.widths.clear();
    ctx.font = this.font = font;
    const measure = (text: string): number => {
      let width = this.widths.get(text);
      if (width === undefined) this.widths.set(text, (width = ctx.measureText(text).width));
      return width;
    };
    const named = tags(scene, [...this.thresholds, ...this.lines], unit, measure);
    this.flags = this.rows.place(scene, [...this.annotations, ...this.marks], named, measure);
    drawTags(scene, named, colors);
    drawFlags(scene, this.flags, colors);
    ctx.restore();
  }

  private at(t: number): string {
    return `${day(t, this.zone)} ${clock(t, true, this.zone)}`;
  }

  private hear(): void {
    const all = [...this.annotations, ...this.marks].sort((a, b) => b.t - a.t).slice(0, HEARD);
    this.list.hidden = all.length === 0;
    this.list.replaceChildren(
      ...all.map((mark) => {
        const item = document.createElement("li");
        item.textContent = `${this.at(mark.t)}: ${mark.text}`;
        return item;
      }),
    );
  }

  private leave = (): void => {
    this.tip.hidden = true;
  };

  private point = (event: PointerEvent): void => {
    const { scene, tip } = this;
    if (!scene || event.buttons) return this.leave();
    const { ratio } = scene;
    const box = this.stage.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
    const inside = x >= scene.left && x <= scene.left + scene.width && y >= scene.top && y <= scene.top + scene.height;
    const found = inside ? under(this.flags, x, y, ratio) : [];
    if (!found.length) return this.leave();
    tip.replaceChildren(
      ...found.slice(0, 5).map(({ mark }) => {
        const line = document.createElement("p");
        const time = document.createElement("span");
        time.textContent = `${clock(mark.t, true, this.zone)} `;
        line.append(time, mark.text);
        return line;
      }),
    );
    if (found.length > 5) tip.append(`and ${found.length - 5} more`);
    tip.hidden = false;
    // Under the flags, and inside the picture.
    const first = found[0]!;
    const top = first.box ? first.box.top + first.box.height : scene.top + 8 * ratio;
    const right = this.stage.clientWidth - tip.offsetWidth - 4;
    tip.style.left = `${Math.max(4, Math.min(first.x / ratio + 4, right))}px`;
    tip.style.top = `${top / ratio + 4}px`;
  };
}
