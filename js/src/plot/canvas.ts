// The axes and the canvas, which uPlot lays out and owns.
//
// Collaborators: view.ts says which bounds and paints the lines from `paint`, ticks.ts says
// where the ticks are.
//
// The one rule: uPlot never sees a sample. Its one series is empty, its scales are set, its
// legend and cursor are off.
import uPlot from "uplot";
import { zone } from "../shared/format";
import { fade, type Theme } from "../shared/theme";
import type { Bounds } from "./range";
import { logTicks, timeTicks, valueTicks, type ValueTicks } from "./ticks";

/** Pixels between the axes' right end and the canvas'. */
const EDGE = 12;

export interface Asked {
  theme(): Theme;
  units(): string;
  log(): boolean;
  /** Whose time the axis tells, as for `offset`. */
  zone(): string;
  /** Whether the axes' numbers mean something yet. */
  known(): boolean;
  paint(u: uPlot): void;
}

export class Canvas {
  private plot: uPlot;
  private log = false;

  constructor(
    private stage: HTMLElement,
    private asked: Asked,
  ) {
    this.plot = this.build(280, 160);
  }

  /** The plotting area in device pixels. */
  get bbox(): uPlot.BBox {
    return this.plot.bbox;
  }

  /** The canvas itself, for a picture of it. */
  get element(): HTMLCanvasElement {
    return this.plot.ctx.canvas;
  }

  /** Fills the stage; false when it had that size already. */
  fit(): boolean {
    const { clientWidth, clientHeight } = this.stage;
    if (!clientWidth || !clientHeight) return false;
    if (clientWidth === this.plot.width && clientHeight === this.plot.height) return false;
    this.plot.setSize({ width: clientWidth, height: clientHeight });
    return true;
  }

  /** Draws with these bounds; uPlot commits in a microtask. */
  draw(x: Bounds, y: Bounds): void {
    this.plot.batch(() => {
      this.plot.setScale("x", { min: x[0], max: x[1] });
      this.plot.setScale("y", { min: y[0], max: y[1] });
    });
  }

  /** The unit with its prefix, for the value axis' caption. */
  captionOf(y: Bounds): string {
    return this.ticks(y[0], y[1], this.plot.bbox.height).caption;
  }

  /** The scale of the value axis may be another. */
  scaled(): void {
    if (this.asked.log() !== this.log) this.rebuild();
  }

  private ticks(low: number, high: number, height: number): ValueTicks {
    return (this.log ? logTicks : valueTicks)(low, high, height / devicePixelRatio, this.asked.units());
  }

  /** Labels anew, though the bounds are the same. */
  relabel(): void {
    this.plot.redraw(false, true);
  }

  /** The theme, the fonts or the pixel ratio are others: uPlot takes them only when it is made. */
  rebuild(): void {
    const { width, height } = this.plot;
    this.plot.destroy();
    // As large as the last one: what is scrolled away has no width, and its observer keeps silent
    // when it comes back as large as it was.
    this.plot = this.build(width, height);
  }

  close(): void {
    this.plot.destroy();
  }

  private build(width: number, height: number): uPlot {
    const colors = () => this.asked.theme().colors();
    const text = (): string => colors().muted;
    const line = (): string => fade(colors().text, 0.12);
    const font = `11px ${colors().font}`;
    this.log = this.asked.log();
    let times = timeTicks(0, 1, 100);
    let values = valueTicks(0, 1, 100, "");
    const options: uPlot.Options = {
      width,
      height,
      // Above: a row for the unit's caption, so that a long one does not meet the highest label.
      padding: [18, EDGE, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, auto: false, range: (_, min, max) => [min, max] },
        y: { auto: false, distr: this.log ? 3 : 1, range: (_, min, max) => [min, max] },
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
            times = timeTicks(min, max, u.bbox.width / devicePixelRatio, EDGE, this.asked.zone());
            return times.at;
          },
          values: () => (this.asked.known() ? times.labels : times.labels.map(() => "")),
        },
        {
          stroke: text,
          font,
          size: (_u, labels) => 16 + Math.max(28, ...(labels ?? []).map((label) => 6.6 * label.length)),
          gap: 4,
          grid: { show: true, stroke: line, width: 1 },
          ticks: { show: false },
          splits: (u, _axis, min, max) => {
            values = this.ticks(min, max, u.bbox.height);
            return values.at;
          },
          // Of a log axis uPlot would leave labels out by itself.
          filter: (_u, splits) => splits,
          values: () => (this.asked.known() ? values.labels : values.labels.map(() => "")),
        },
      ],
      hooks: {
        draw: [
          (u) => {
            this.asked.paint(u);
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
    const colors = this.asked.theme().colors();
    ctx.save();
    ctx.font = `${11 * ratio}px ${colors.font}`;
    ctx.fillStyle = colors.muted;
    ctx.textAlign = "right";
    ctx.textBaseline = "top";
    const name = this.asked.known() ? zone(u.scales.x!.max ?? Date.now() / 1000, this.asked.zone()) : "";
    ctx.fillText(name, bbox.left + bbox.width, bbox.top + bbox.height + 24 * ratio);
    ctx.restore();
  }
}
