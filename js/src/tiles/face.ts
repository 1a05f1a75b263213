// What tiles and gauges have in common: a title, the value, what it means, and how old it is.
//
// Collaborators: widgets/readings/reading.py says what is read; panels/panel.ts brings it; plot/status.ts has the
// rules for live and stale; steady.ts makes the text. A subclass puts its picture between value and foot.
//
// The rules: texts change at most four times a second and labels for ears every three; the age is told
// by the browser's own clock since the frame came; and what a threshold says is a symbol and a word.
import { capital, make, mark, say, Slowly, StateMark, Voice } from "../panels/dom";
import type { View } from "../panels/panel";
import { statusOf, type Status } from "../plot/status";
import type { Frame, Model } from "../shared/channel";
import { copyable } from "../shared/copyable";
import { duration } from "../shared/format";
import { Steady, type Told } from "./steady";
import { WORDS, type Level, type Threshold } from "./zones";

/** What the kernel says in every frame. */
export interface Reading {
  field: string | null;
  value: number | null;
  level: Level | null;
  label: string;
  /** Seconds, when the frame was sent. */
  age: number | null;
  interval: number | null;
  connected: boolean;
  /** Whether the server refuses the topic; `reason` says why. */
  refused: boolean;
  reason: string;
  /** What to do where nothing that came is a number. */
  text: string;
  paused: number | null;
  closed: number | null;
}

const CONFIGURED = ["title", "units", "digits", "thresholds", "range"];
const TEXT_MS = 250;
/** An age below this is "now", and not worth a word. */
const OLD_SECONDS = 2;

/** The shapes of plot/levels.ts: a ring, a circle, a triangle, a square. */
const SHAPES: Record<Level, string> = {
  info: "M6 1.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9Zm0 2.25a2.25 2.25 0 1 1 0 4.5 2.25 2.25 0 0 1 0-4.5Z",
  good: "M6 1.2a4.8 4.8 0 1 0 0 9.6 4.8 4.8 0 0 0 0-9.6Z",
  warn: "M6 .9 11.4 10.7H.6Z",
  bad: "M1.4 1.4h9.2v9.2H1.4Z",
};

/** A level's symbol, which its colour follows. */
export class Symbol12 {
  readonly node = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  #path = document.createElementNS("http://www.w3.org/2000/svg", "path");

  constructor(level: Level | null = null) {
    this.node.setAttribute("viewBox", "0 0 12 12");
    this.node.setAttribute("class", "nbrt-symbol");
    this.node.setAttribute("aria-hidden", "true");
    this.node.append(this.#path);
    this.show(level);
  }

  show(level: Level | null): void {
    mark(this.node, "data-level", level);
    mark(this.#path, "d", level === null ? "" : SHAPES[level]);
  }
}

export abstract class Face implements View {
  readonly root: HTMLElement;
  protected readonly still = matchMedia("(prefers-reduced-motion: reduce)");
  protected last: Reading | null = null;
  #steady = new Steady();
  protected foot = make("span", { class: "nbrt-line nbrt-reach nbrt-muted" });
  #title = make("p", { class: "nbrt-line nbrt-title" });
  #number = make("span", { class: "nbrt-number" }, "—");
  #unit = make("span", { class: "nbrt-unit" });
  #empty: HTMLElement;
  #level = make("p", { class: "nbrt-level" });
  #symbol = new Symbol12();
  #word = make("span", { class: "nbrt-line" });
  #state = new StateMark();
  #voice = new Voice();
  #came = 0;
  #silent = 0;
  #clock: ReturnType<typeof setInterval>;
  #slowly = new Slowly<null>(() => this.#write(), TEXT_MS);
  #moving = new Slowly<null>(() => this.last && this.move(this.last), TEXT_MS);
  #label = new Slowly<string>((text) => {
    mark(this.root, "aria-label", text);
    this.spoken(text);
  });

  constructor(
    readonly model: Model,
    kind: string,
    picture: Node,
  ) {
    this.#level.append(this.#symbol.node, this.#word);
    this.#empty = make("span", { class: "nbrt-hint", hidden: true });
    this.root = make(
      "div",
      { class: kind, role: "group", "data-state": "empty", "data-loading": true },
      this.#title,
      make("p", { class: "nbrt-value" }, this.#number, this.#unit, this.#empty),
      this.#level,
      picture,
      make("div", { class: "nbrt-foot" }, this.#state.node, this.foot),
      this.#voice.node,
    );
    for (const name of CONFIGURED) model.on(`change:${name}`, this.#configured);
    this.#clock = setInterval(() => this.#slowly.set(null), 1000);
  }

  /** Shows the configuration again; what a subclass ends its making with, when it has its fields. */
  protected begin(): this {
    this.#dress();
    mark(this.root, "aria-label", this.name);
    return this;
  }

  /** Moves the picture; at most ten times a second, four where motion is not wanted. */
  protected abstract move(reading: Reading): void;
  /** Writes what else the picture says; at most four times a second. */
  protected abstract describe(reading: Reading, status: Status): void;
  /** The configuration is another one. */
  protected abstract dress(): void;
  /** The greatest value that a scale beside the number has; 0: there is none. */
  protected largest(): number {
    return 0;
  }
  /** More words for the label; at most every three seconds. */
  protected abstract more(): string;
  /** The label was read out as `text`. */
  protected spoken(_text: string): void {}

  protected text(name: string): string {
    return String(this.model.get(name) ?? "");
  }

  protected get thresholds(): Threshold[] {
    return (this.model.get("thresholds") ?? []) as Threshold[];
  }

  protected get name(): string {
    const field = this.last?.field;
    return this.text("title") || (field && field !== "value" ? `${this.text("topic")} ${field}` : this.text("topic"));
  }

  show(frame: Frame): void {
    this.last = frame as unknown as Reading;
    this.#came = performance.now();
    this.#silent = 0;
    this.root.removeAttribute("data-loading");
    if (this.still.matches) this.#moving.set(null);
    else this.move(this.last);
    this.#slowly.set(null);
  }

  silent(seconds: number): void {
    this.#silent = seconds;
    this.#slowly.set(null);
  }

  close(): void {
    clearInterval(this.#clock);
    for (const name of CONFIGURED) this.model.off(`change:${name}`, this.#configured);
    for (const one of [this.#slowly, this.#moving, this.#label, this.#voice]) one.stop();
  }

  #configured = (): void => {
    this.#dress();
    if (this.last) this.move(this.last);
    this.#write();
  };

  #dress(): void {
    this.#steady = new Steady(this.text("units"), Number(this.model.get("digits")), this.largest());
    this.#level.hidden = this.thresholds.length === 0;
    say(this.#title, this.name);
    this.dress();
  }

  #write(): void {
    const at = this.last;
    if (at === null) return;
    const age = at.age === null ? null : at.age + (performance.now() - this.#came) / 1000;
    const status = statusOf({
      closed: at.closed, pausedNew: at.paused, hasData: at.value !== null, connected: at.connected, age, interval: at.interval,
      silence: this.#silent, reason: at.reason, undrawable: at.text !== "",
    });
    mark(this.root, "data-state", status.state);
    mark(this.root, "data-level", at.level);
    const told = this.#steady.tell(at.value);
    const name = this.name;
    say(this.#title, name);
    mark(this.#title, "title", name);
    say(this.#number, told.text);
    say(this.#unit, told.unit);
    this.#hint(at);
    this.#judge(at);
    const late = status.state === "live" && age !== null && age >= OLD_SECONDS ? `, ${duration(age)} ago` : "";
    const refused = at.refused && (status.state === "empty" || status.state === "stale");
    const said = refused && status.state === "empty" ? `Refused: ${at.reason}` : capital(status.why || status.text) + late;
    const words = at.text && status.state === "empty" ? at.text : said;
    this.#state.show(refused ? "refused" : status.state === "empty" && !at.connected ? "connecting" : status.state, words);
    mark(this.#state.node, "title", words);
    this.describe(at, status);
    this.#speak(at, told, status);
  }

  /** Where nothing came yet: what to type. */
  #hint(at: Reading): void {
    const wanted = at.value === null && at.text === "" && at.closed === null && !at.refused;
    this.#empty.hidden = !wanted;
    if (!wanted || this.#empty.childElementCount > 0) return;
    const topic = JSON.stringify(this.text("topic"));
    const payload = at.field === null || at.field === "value" ? "21.5" : `{${JSON.stringify(at.field)}: 21.5}`;
    const row = copyable(`rt.publish(${topic}, ${payload})`);
    const button = row.querySelector("button")!;
    button.title = button.getAttribute("aria-label")!;
    this.#empty.append(row);
  }

  #judge(at: Reading): void {
    this.#symbol.show(at.level);
    const word = at.level === null ? "" : at.label || WORDS[at.level];
    say(this.#word, word);
    mark(this.#word, "title", word || null);
  }

  #speak(at: Reading, told: Told, status: Status): void {
    const value = at.value === null ? "no value yet" : `${told.text} ${told.unit}`.trim();
    const level = at.level === null ? "" : at.label ? `${WORDS[at.level]}: ${at.label}` : WORDS[at.level];
    const parts = [value, this.more(), level, status.why || status.text].filter(Boolean);
    this.#label.set(`${this.name}: ${parts.join(", ")}`);
    // The state by its first words: an age that counts is no news.
    this.#voice.tell([this.name, level, status.state].filter(Boolean).join(", "));
  }
}
