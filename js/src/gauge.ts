// Where a value stands between two bounds: a bar, its zones and its ticks.
//
// Collaborators: tiles/face.ts (all but the bar), tiles/zones.ts (zones, ticks, places).
// The one rule: the scale is laid out once for a configuration; a frame moves the bar and nothing else.
import { make, mark, say } from "./panels/dom";
import { panel } from "./panels/panel";
import type { Status } from "./plot/status";
import type { Model } from "./shared/channel";
import { Face, Symbol12, type Reading } from "./tiles/face";
import { position, ticks, WORDS, zones } from "./tiles/zones";

const MOST_TICKS = 6;
const percent = (part: number): string => `${Math.round(part * 1e5) / 1e3}%`;

interface Parts {
  names: HTMLElement;
  track: HTMLElement;
  fill: HTMLElement;
  needle: HTMLElement;
  strip: HTMLElement;
  ticks: HTMLElement;
}

class Gauge extends Face {
  readonly #at: Parts;

  constructor(model: Model) {
    const parts: Parts = {
      names: make("div", { class: "nbrt-zone-names", "aria-hidden": "true" }),
      track: make("div", { class: "nbrt-track", role: "meter" }),
      fill: make("div", { class: "nbrt-fill" }),
      needle: make("div", { class: "nbrt-needle" }),
      strip: make("div", { class: "nbrt-zones", "aria-hidden": "true" }),
      ticks: make("div", { class: "nbrt-ticks", "aria-hidden": "true" }),
    };
    parts.track.append(parts.fill, parts.needle);
    super(model, "nbrt-gauge", make("div", { class: "nbrt-bar" }, parts.names, parts.track, parts.strip, parts.ticks));
    this.#at = parts;
    this.begin();
  }

  get #range(): [number, number] {
    return this.model.get("range") as [number, number];
  }

  protected override largest(): number {
    return Math.max(...this.#range.map(Math.abs));
  }

  protected override dress(): void {
    this.#scale();
  }

  #scale(): void {
    const [low, high] = this.#range;
    const parts = this.#at;
    const found = zones(this.thresholds, low, high);
    const place = (from: number, to: number): string =>
      `left: ${percent((from - low) / (high - low))}; width: ${percent((to - from) / (high - low))}`;
    parts.names.hidden = parts.strip.hidden = this.thresholds.length === 0;
    parts.strip.replaceChildren(
      ...found.map((zone) => make("span", { "data-level": zone.level, style: place(zone.from, zone.to) })),
    );
    parts.names.replaceChildren(
      ...found.map((zone) => {
        const word = zone.label || WORDS[zone.level];
        return make(
          "span",
          { "data-level": zone.level, style: place(zone.from, zone.to), title: word },
          new Symbol12(zone.level).node,
          make("span", { class: "nbrt-line" }, word),
        );
      }),
    );
    const scale = ticks(low, high, MOST_TICKS, this.text("units"));
    parts.ticks.replaceChildren(
      ...scale.ticks.map(({ at, text }) => {
        const end = at === 0 ? "first" : at === 1 ? "last" : false;
        return make("span", { style: `left: ${percent(at)}`, "data-end": end }, text);
      }),
    );
    mark(parts.track, "aria-valuemin", String(low));
    mark(parts.track, "aria-valuemax", String(high));
  }

  protected override move(reading: Reading): void {
    const { fill, needle, track } = this.#at;
    const [low, high] = this.#range;
    fill.hidden = needle.hidden = reading.value === null;
    mark(track, "data-beyond", null);
    if (reading.value === null) return;
    const { at, beyond } = position(reading.value, low, high);
    // A bar begins at zero where the scale has one.
    const origin = position(0, low, high).at;
    const from = Math.min(at, origin);
    const span = Math.max(at, origin) - from;
    fill.style.transform = `translateX(${percent(from)}) scaleX(${span})`;
    needle.style.left = percent(at);
    if (beyond) mark(track, "data-beyond", beyond > 0 ? "above" : "below");
  }

  protected override describe(reading: Reading, _status: Status): void {
    const [low, high] = this.#range;
    const beyond = reading.value === null ? 0 : position(reading.value, low, high).beyond;
    this.foot.hidden = beyond === 0;
    say(this.foot, beyond > 0 ? "Above the scale" : beyond < 0 ? "Below the scale" : "");
  }

  protected override more(): string {
    return this.foot.hidden ? "" : (this.foot.textContent ?? "").toLowerCase();
  }

  protected override spoken(text: string): void {
    const value = this.last?.value ?? null;
    const [low, high] = this.#range;
    mark(this.#at.track, "aria-label", this.name);
    mark(this.#at.track, "aria-valuenow", value === null ? null : String(Math.min(high, Math.max(low, value))));
    mark(this.#at.track, "aria-valuetext", text);
  }
}

export default panel((model) => new Gauge(model));
