// The canvas and its axes: grid, ticks, labels, the zone's name. What is between is others'.
//
// Collaborators: view.ts says which bounds and paints the lines from `paint`, ticks.ts says
// where the ticks are and what they read.
//
// The rules: a draw is one synchronous pass, so what `bbox` says is what is seen; and the
// canvas is drawn whenever it is resized, because a canvas that is resized is empty. A
// plotting library would bring its own series, scales, cursor and legend, and none of them
// would be used: that was half of the bundle.
import { zone } from "../shared/format";
import { fade, type Theme } from "../shared/theme";
import { part, type Bounds } from "./scale";
import { logTicks, timeTicks, valueTicks, type ValueTicks } from "./ticks";

/** CSS pixels around the plotting area; above there is a row for the unit's caption. */
const ABOVE = 20;
const RIGHT = 12;
const BELOW = 40;
const TICK = 4;
const ROW = 16;

/** Device pixels. */
export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Surface {
  ctx: CanvasRenderingContext2D;
  bbox: Box;
}

export interface Asked {
  theme(): Theme;
  units(): string;
  log(): boolean;
  /** Whose time the axis tells, as for `offset`. */
  zone(): string;
  /** Whether the axes' numbers mean something yet. */
  known(): boolean;
  paint(surface: Surface): void;
}

export class Axes {
  readonly element = document.createElement("canvas");
  /** The plotting area in device pixels. */
  bbox: Box = { left: 0, top: 0, width: 1, height: 1 };
  readonly ctx = this.element.getContext("2d")!;
  private x: Bounds = [0, 1];
  private y: Bounds = [1, 10];
  private ratio = 0;
  private line = { of: "", color: "" };
  private font = "";

  constructor(
    private stage: HTMLElement,
    private asked: Asked,
  ) {
    this.element.className = "nbrt-plot-canvas";
    this.element.setAttribute("aria-hidden", "true");
    stage.prepend(this.element);
    this.size(280, 160);
  }

  /** Fills the stage; false when it had that size already. */
  fit(): boolean {
    const { clientWidth, clientHeight } = this.stage;
    return clientWidth > 0 && clientHeight > 0 && this.size(clientWidth, clientHeight);
  }

  private size(width: number, height: number): boolean {
    const { element } = this;
    const ratio = devicePixelRatio;
    const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (across === element.width && down === element.height && ratio === this.ratio) return false;
    this.ratio = ratio;
    // With a new size a canvas forgets what it was told.
    this.font = "";
    element.width = across;
    element.height = down;
    element.style.width = `${width}px`;
    element.style.height = `${height}px`;
    this.redraw();
    return true;
  }

  /** Draws with these bounds. */
  draw(x: Bounds, y: Bounds): void {
    this.x = x;
    this.y = y;
    this.redraw();
  }

  /** The unit with its prefix, for the value axis' caption. */
  captionOf(y: Bounds): string {
    return this.ticks(y).caption;
  }

  close(): void {
    this.element.remove();
  }

  private ticks(y: Bounds): ValueTicks {
    const height = this.element.height / this.ratio - ABOVE - BELOW;
    return (this.asked.log() ? logTicks : valueTicks)(y[0], y[1], height, this.asked.units());
  }

  /** Draws anew what was drawn: labels, colours, fonts or the pixels may be others. */
  redraw(): void {
    const { ctx, element, asked, x, ratio } = this;
    const colors = asked.theme().colors();
    const log = asked.log();
    // The scale was changed, and its bounds come with the next draw.
    const y: Bounds = log && this.y[0] <= 0 ? [1, 10] : this.y;
    const values = this.ticks(y);
    const longest = Math.max(28, ...values.labels.map((label) => 6.6 * label.length));
    const left = Math.round((16 + longest) * ratio);
    const top = Math.round(ABOVE * ratio);
    const width = Math.max(1, element.width - left - Math.round(RIGHT * ratio));
    const height = Math.max(1, element.height - top - Math.round(BELOW * ratio));
    const bottom = top + height;
    this.bbox = { left, top, width, height };
    if (this.line.of !== colors.text) this.line = { of: colors.text, color: fade(colors.text, 0.12) };

    const hair = Math.max(1, Math.round(ratio));
    ctx.clearRect(0, 0, element.width, element.height);
    const font = `${11 * ratio}px ${colors.font}`;
    // Setting it costs a tenth of a picture, also when it is that already.
    if (font !== this.font) ctx.font = this.font = font;
    ctx.textAlign = "right";
    ctx.textBaseline = "middle";
    const known = asked.known();
    values.at.forEach((value, i) => {
      const at = Math.round(bottom - part(value, y, log) * height);
      ctx.fillStyle = this.line.color;
      ctx.fillRect(left, at - (hair >> 1), width, hair);
      ctx.fillStyle = colors.muted;
      if (known) ctx.fillText(values.labels[i]!, left - 4 * ratio, at);
    });
    const times = timeTicks(x[0], x[1], width / ratio, RIGHT, asked.zone());
    ctx.textAlign = "center";
    ctx.textBaseline = "top";
    ctx.fillStyle = this.line.color;
    ctx.fillRect(left, bottom, width, hair);
    times.at.forEach((time, i) => {
      const at = left + ((time - x[0]) / (x[1] - x[0])) * width;
      ctx.fillStyle = this.line.color;
      ctx.fillRect(Math.round(at) - (hair >> 1), bottom, hair, TICK * ratio);
      ctx.fillStyle = colors.muted;
      const rows = known ? times.labels[i]!.split("\n") : [];
      rows.forEach((row, n) => ctx.fillText(row, at, bottom + (2 * TICK + n * ROW) * ratio));
    });
    if (known) {
      // At the right end of the row that holds the date.
      ctx.textAlign = "right";
      ctx.fillText(zone(x[1], asked.zone()), left + width, bottom + (2 * TICK + ROW) * ratio);
    }
    asked.paint(this);
  }
}
