// One number, large: its unit, what it means, what it did lately, and how old it is.
//
// Collaborators: tiles/face.ts (all but the sparkline), tiles/spark.ts (its shape).
// The one rule: a frame moves paths and a dot; nothing is laid out anew.
import { make, mark, say } from "./panels/dom";
import { panel } from "./panels/panel";
import type { Status } from "./plot/status";
import type { Frame, Model } from "./shared/channel";
import { duration } from "./shared/format";
import { Face, type Reading } from "./tiles/face";
import { Bins, BOX, rules, type Head, type Spark } from "./tiles/spark";
import { between } from "./tiles/steady";

const SVG = "http://www.w3.org/2000/svg";

class Tile extends Face {
  readonly #picture: HTMLElement;
  readonly #rules: SVGElement;
  readonly #line: SVGElement;
  readonly #area: SVGElement;
  readonly #dot: HTMLElement;
  #bins = new Bins();
  #spark: Spark | null = null;

  constructor(model: Model) {
    const line = document.createElementNS(SVG, "path");
    const area = document.createElementNS(SVG, "path");
    const across = document.createElementNS(SVG, "g");
    const dot = make("span", { class: "nbrt-end", hidden: true });
    line.setAttribute("class", "nbrt-spark-line");
    area.setAttribute("class", "nbrt-spark-area");
    const drawing = document.createElementNS(SVG, "svg");
    drawing.setAttribute("viewBox", `0 0 ${BOX.width} ${BOX.height}`);
    drawing.setAttribute("preserveAspectRatio", "none");
    drawing.append(across, area, line);
    const picture = make("div", { class: "nbrt-spark", "aria-hidden": "true" }, drawing, dot);
    super(model, "nbrt-tile", picture);
    this.#picture = picture;
    this.#rules = across;
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
    this.#rule(spark);
    if (spark === null) return;
    this.#dot.style.left = `${spark.end.x * 100}%`;
    this.#dot.style.top = `${spark.end.y * 100}%`;
  }

  /** Moves the lines of the thresholds; there are as many as are in the picture. */
  #rule(spark: Spark | null): void {
    const found = spark === null ? [] : rules(spark, this.thresholds);
    const group = this.#rules;
    while (group.childElementCount > found.length) group.lastElementChild!.remove();
    while (group.childElementCount < found.length) {
      const one = document.createElementNS(SVG, "path");
      one.setAttribute("class", "nbrt-spark-rule");
      group.append(one);
    }
    found.forEach(({ y, level, color }, at) => {
      const one = group.children[at] as SVGPathElement;
      mark(one, "d", `M0 ${y}h${BOX.width}`);
      mark(one, "data-level", level);
      if ((one.dataset.color ?? "") === color) return;
      one.dataset.color = color;
      one.style.stroke = color;
    });
  }

  protected override describe(_reading: Reading, status: Status): void {
    const spark = this.#spark;
    const quiet = spark === null || (status.state !== "live" && status.state !== "paused");
    this.foot.hidden = quiet;
    if (spark === null || quiet) return;
    const window = duration(Number(this.model.get("window")));
    const reach = `${between(spark.low, spark.high, this.text("units"), Number(this.model.get("digits")))} in ${window}`;
    say(this.foot, reach);
    mark(this.foot, "title", reach);
  }

  protected override dress(): void {
    // The sparkline has no configuration but its window, which stays.
  }

  protected override more(): string {
    return this.#bins.tendency;
  }
}

export default panel((model) => new Tile(model));
