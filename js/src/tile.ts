// One number, large: its unit, what it means, what it did lately, and how old it is.
//
// Collaborators: tiles/face.ts (all but the sparkline), tiles/spark.ts (its shape).
// The one rule: a frame moves two paths and a dot; nothing is laid out anew.
import { make, mark, say } from "./panels/dom";
import { panel } from "./panels/panel";
import type { Status } from "./plot/status";
import type { Frame, Model } from "./shared/channel";
import { duration } from "./shared/format";
import { Face, type Reading } from "./tiles/face";
import { Bins, BOX, type Head, type Spark } from "./tiles/spark";
import { between } from "./tiles/steady";

const SVG = "http://www.w3.org/2000/svg";

class Tile extends Face {
  readonly #picture: HTMLElement;
  readonly #line: SVGElement;
  readonly #area: SVGElement;
  readonly #dot: HTMLElement;
  #bins = new Bins();
  #spark: Spark | null = null;

  constructor(model: Model) {
    const line = document.createElementNS(SVG, "path");
    const area = document.createElementNS(SVG, "path");
    const dot = make("span", { class: "nbrt-end", hidden: true });
    line.setAttribute("class", "nbrt-spark-line");
    area.setAttribute("class", "nbrt-spark-area");
    const drawing = document.createElementNS(SVG, "svg");
    drawing.setAttribute("viewBox", `0 0 ${BOX.width} ${BOX.height}`);
    drawing.setAttribute("preserveAspectRatio", "none");
    drawing.append(area, line);
    const picture = make("div", { class: "nbrt-spark", "aria-hidden": "true" }, drawing, dot);
    super(model, "nbrt-tile", picture);
    this.#picture = picture;
    this.#line = line;
    this.#area = area;
    this.#dot = dot;
    this.#picture.hidden = model.get("window") === null;
    this.begin();
  }

  override show(frame: Frame): void {
    const head = frame.trend as Head | undefined;
    if (head) this.#bins.take(head, frame.buffers[0]);
    super.show(frame);
  }

  protected override move(reading: Reading): void {
    const spark = (this.#spark = this.#bins.draw(reading.interval));
    mark(this.#line, "d", spark?.line ?? "");
    mark(this.#area, "d", spark?.area ?? "");
    this.#dot.hidden = spark === null;
    if (spark === null) return;
    this.#dot.style.left = `${spark.end.x * 100}%`;
    this.#dot.style.top = `${spark.end.y * 100}%`;
  }

  protected override describe(_reading: Reading, status: Status): void {
    const spark = this.#spark;
    const quiet = spark === null || (status.state !== "live" && status.state !== "paused");
    this.foot.hidden = quiet;
    if (spark === null || quiet) return;
    const window = duration(Number(this.model.get("window")));
    say(this.foot, `${between(spark.low, spark.high, this.text("units"), Number(this.model.get("digits")))} in ${window}`);
  }

  protected override dress(): void {
    // The sparkline has no configuration but its window, which stays.
  }

  protected override more(): string {
    return this.#bins.tendency;
  }
}

export default panel((model) => new Tile(model));
