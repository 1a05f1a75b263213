// What a topic or a connection shows as a cell's last expression: state, value, and the facts beside it.
//
// Collaborators: panels/panel.ts (frames, theme, silence), panels/value.ts and words.ts (texts).
// The one rule: the age is told from the browser's own clock since the frame came, so that a
// topic that has fallen silent is seen to age although nobody sends anything.
import type { Frame, Model } from "./shared/channel";
import { stateOf, unheard } from "./shared/life";
import { capital, make, mark, say, Slowly, StateMark, Voice } from "./panels/dom";
import { panel, type View } from "./panels/panel";
import { shown, spoken, type Value } from "./panels/value";
import { address, ago, backlog, counted, latency, rate } from "./panels/words";

interface Topic {
  of: "topic";
  name: string;
  state: string;
  value: Value;
  count: number;
  rate: number;
  age: number | null; // ms when the frame was sent
  presence: number | null;
  note: string;
  fault: boolean;
}

interface Connection {
  of: "connection";
  state: string;
  url: string;
  user: string | null;
  latency: number | null;
  attempts: number;
  queued: number;
  dropped: number;
  error: string | null;
}

/** Places for named values; the kernel sends no more. */
const FIELDS = 6;
const FACTS = 4;
const LOOK_MS = 5000;

class Card implements View {
  readonly root: HTMLElement;
  #state = new StateMark();
  #voice = new Voice();
  #label = new Slowly<string>((text) => mark(this.root, "aria-label", text));
  #name = make("span", { class: "nbrt-line nbrt-name" });
  #big = make("span", { class: "nbrt-line nbrt-big" });
  #fields: { cell: HTMLElement; name: HTMLElement; text: HTMLElement }[] = [];
  #more = make("span", { class: "nbrt-muted nbrt-more" });
  #facts: HTMLElement[] = [];
  #note = make("p", { class: "nbrt-note" });
  #last: Topic | Connection | null = null;
  #came = 0;
  #looked = 0;
  #silent = 0;
  #clock: ReturnType<typeof setInterval>;

  constructor(model: Model) {
    for (let i = 0; i < FIELDS; i++) {
      const name = make("span", { class: "nbrt-line nbrt-muted" });
      const text = make("span", { class: "nbrt-line nbrt-value" });
      this.#fields.push({ cell: make("span", { class: "nbrt-cell", hidden: true }, name, text), name, text });
    }
    for (let i = 0; i < FACTS; i++) this.#facts.push(make("span", { class: "nbrt-line nbrt-muted" }));
    this.root = make(
      "div",
      { class: "nbrt-card", role: "group" },
      make("div", { class: "nbrt-head" }, this.#state.node, this.#name),
      make("div", { class: "nbrt-values" }, this.#big, ...this.#fields.map(({ cell }) => cell), this.#more),
      make("div", { class: "nbrt-facts" }, ...this.#facts),
      this.#note,
      this.#voice.node,
    );
    const name = String(model.get("title") ?? "");
    say(this.#name, name);
    mark(this.root, "aria-label", name);
    mark(this.root, "data-state", "connecting");
    say(this.#big, "—");
    this.#clock = setInterval(() => this.#paint(), 1000);
  }

  show(frame: Frame): void {
    this.#last = frame as unknown as Topic | Connection;
    this.#came = performance.now();
    this.#silent = 0;
    this.#paint();
  }

  silent(seconds: number): void {
    if (this.#last?.state === "closed") return;
    this.#silent = seconds;
    this.#paint();
  }

  /** A topic that has heard nothing learns from time to time who does carry data. */
  due(): boolean {
    const at = this.#last;
    if (at?.of !== "topic" || at.count > 0 || at.state === "closed" || at.state === "refused") return false;
    if (performance.now() - Math.max(this.#came, this.#looked) < LOOK_MS) return false;
    this.#looked = performance.now();
    return true;
  }

  close(): void {
    clearInterval(this.#clock);
    this.#label.stop();
    this.#voice.stop();
  }

  #paint(): void {
    const at = this.#last;
    if (at === null) return;
    const state = stateOf(this.#silent, at.state);
    mark(this.root, "data-state", state);
    mark(this.root, "data-of", at.of);
    this.#state.show(state);
    if (at.of === "topic") this.#topic(at);
    else this.#connection(at);
  }

  #topic(at: Topic): void {
    const age = at.age === null ? null : at.age + performance.now() - this.#came;
    // A rate is of the last seconds: it ends when three messages that were due did not come.
    const live = age !== null && age < Math.max(5000, at.rate > 0 ? 3000 / at.rate : 0) ? at.rate : null;
    this.#title(at.name);
    this.#value(at.value);
    this.#says([
      counted(at.count, "message"),
      rate(at.state === "live" && !this.#silent ? live : null),
      age === null ? "nothing yet" : ago(age),
      at.presence === null || at.state !== "live" ? "" : `${at.presence} here`,
    ]);
    this.#noted(at.note, at.fault ? "bad" : null);
    this.#label.set(`${at.name}: ${unheard(this.#silent) || at.state}, ${spoken(at.value)}`);
    this.#voice.tell(`${at.name} ${this.#silent ? "unknown" : at.state}`);
  }

  #connection(at: Connection): void {
    const there = at.url ? address(at.url) : "no server";
    this.#title(there, at.url);
    this.#says([
      at.user ?? "—",
      at.state === "connected" && !this.#silent ? latency(at.latency) : "—",
      backlog(at.queued, at.dropped),
      "",
    ]);
    const trying = at.attempts > 0 && at.state !== "connected" && at.state !== "closed" ? `attempt ${at.attempts}` : "";
    this.#noted(capital([trying, at.error ?? ""].filter(Boolean).join(" · ")), at.error ? "bad" : "wait");
    this.#label.set(`Connection to ${there}: ${unheard(this.#silent) || at.state}`);
    this.#voice.tell(`Connection ${this.#silent ? "unknown" : at.state}`);
  }

  #title(name: string, full = name): void {
    say(this.#name, name);
    mark(this.#name, "title", full);
  }

  #value(value: Value): void {
    const { big, fields, more } = shown(value);
    mark(this.root, "data-value", value.is);
    say(this.#big, big);
    mark(this.#big, "title", big);
    this.#fields.forEach(({ cell, name, text }, place) => {
      const field = fields[place];
      cell.hidden = field === undefined;
      if (field === undefined) return;
      say(name, field.name);
      mark(name, "title", field.name);
      say(text, field.text);
    });
    say(this.#more, more);
  }

  #says(facts: string[]): void {
    this.#facts.forEach((fact, place) => {
      say(fact, facts[place] ?? "");
      mark(fact, "title", facts[place] || null);
    });
  }

  #noted(note: string, tone: string | null): void {
    const text = this.#silent ? `The ${unheard(this.#silent)}` : note;
    say(this.#note, text);
    mark(this.#note, "data-tone", this.#silent ? "wait" : text ? tone : null);
    mark(this.#note, "title", text || null);
  }
}

export default panel((model) => new Card(model));
