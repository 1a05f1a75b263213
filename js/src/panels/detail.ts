// A log's row as elements: one line to press, and below it, when it is expanded, the payload on many.
//
// Collaborators: log.ts says which rows are open and where they lie; rows.ts lays out the text.
// The one rule: a payload reaches the document as text alone.
import { copy } from "../shared/copyable";
import { make, mark, say } from "./dom";
import { bytes, lines, oneLine, pretty, stamp, type Row } from "./rows";

const LINE = 18;
const MOST_LINES = 12;
const COLUMN = 7.3; // px of a character in the expanded text

/** Lines that a row takes when it is expanded, in an area of `width` pixels. */
export function linesOf(one: Row, width: number): number {
  // What is cut will be longer once the rest is here: its place is the largest, so that nothing moves then.
  return one.size ? MOST_LINES : lines(one.plain ? one.text : pretty(one.text), (width - 48) / COLUMN, MOST_LINES);
}

/** Pixels below the row's line for so many lines. */
export function heightOf(one: Row, shown: number): number {
  return shown * LINE + 20 + (one.size ? LINE : 0);
}

/** Returns a row's line in a node; with its topic if several are in the list, its time in the zone `name`. */
export function build(one: Row, several: boolean, name: string): HTMLElement {
  const line = make(
    "button",
    { class: "nbrt-rowline", type: "button", tabindex: "-1", "aria-expanded": "false" },
    make("span", { class: "nbrt-time nbrt-muted" }, stamp(one.time, name)),
  );
  if (several) line.append(make("span", { class: "nbrt-line nbrt-from", title: one.topic }, one.topic));
  line.append(make("span", { class: "nbrt-line nbrt-payload" }, oneLine(one.text)));
  if (one.size) line.append(make("span", { class: "nbrt-size nbrt-muted" }, bytes(one.size)));
  line.append(make("span", { class: "nbrt-fold", "aria-hidden": "true" }));
  return make("div", { class: "nbrt-row", "data-row": String(one.id), "data-plain": String(one.plain) }, line);
}

/** Gives a row its detail of `height` pixels, or takes it away (null); `changed`: its text is another. */
export function dress(node: HTMLElement, one: Row, height: number | null, changed = false): void {
  const line = node.firstElementChild!;
  mark(line, "aria-expanded", String(height !== null));
  let detail = line.nextElementSibling as HTMLElement | null;
  if (height === null) {
    detail?.remove();
    return;
  }
  if (detail === null) {
    const pre = make("pre", { class: "nbrt-pre", tabindex: "0", "aria-label": "Payload" });
    const button = make("button", { class: "nbrt-copy", type: "button", "aria-label": "Copy payload" }, "Copy");
    // As it came, not as it is laid out.
    button.addEventListener("click", () => void copy(one.full ?? one.text, pre, button));
    detail = make("div", { class: "nbrt-detail" }, make("div", { class: "nbrt-line nbrt-muted nbrt-cut", hidden: !one.size }), pre, button);
    node.append(detail);
    changed = true;
  }
  detail.style.height = `${height}px`;
  if (!changed) return;
  const [cut, pre] = detail.children as unknown as [HTMLElement, HTMLElement];
  const text = one.full ?? one.text;
  if (one.size) {
    const have = new TextEncoder().encode(text).length;
    say(cut, have >= one.size ? `All of ${bytes(one.size)}` : `The first ${bytes(have)} of ${bytes(one.size)}`);
  }
  say(pre, one.plain ? text : pretty(text));
}
