// What a log and a table have around their rows: the state, a filter, a pause, the way back to the newest, and words.
//
// Collaborators: log.ts and table.ts are two; panels/stream.ts says how the stream stands.
// The one rule: what is listed, in which order, and where each row lies is theirs.
import { copyable } from "../shared/copyable";
import type { Frame, Model } from "../shared/channel";
import { count as grouped } from "../shared/format";
import { capital, make, mark, say, Slowly, StateMark } from "./dom";
import { patience, Stream, type Standing, type Told } from "./stream";
import type { View } from "./panel";
import { example } from "./words";

interface Look {
  /** What it is, as a class and in words, and what its filter filters. */
  of: string;
  what: string;
  rows: string;
  /** What is published in the example for who has no message yet. */
  sample: string;
  /** What scrolls, and how its rows are ordered. */
  list: HTMLElement;
  order?: string;
}

export abstract class Listing<State extends Told> implements View {
  readonly root: HTMLElement;
  protected readonly voice = make("span", { class: "nbrt-voice", role: "status", "aria-live": "polite" });
  readonly #topics: readonly string[];
  readonly #name: string;
  #stream = new Stream();
  #state = new StateMark();
  #filter: HTMLInputElement;
  #pause = make("button", { class: "nbrt-button", type: "button" }, "Pause");
  #newest = make("button", { class: "nbrt-newest", type: "button", hidden: true });
  #waiting: HTMLElement;
  #empty = make("p", { class: "nbrt-line" });
  #note = make("span", { class: "nbrt-line nbrt-why" });
  #counts = make("span", { class: "nbrt-line nbrt-counts nbrt-muted" });
  #summary = new Slowly<null>(() => {
    const said = this.#stream.news(this.#now(), this.#name);
    if (said) say(this.voice, said);
  });
  #tick: ReturnType<typeof setInterval>;
  #drawing = 0;
  #resized: ResizeObserver;

  constructor(model: Model, { of, what, rows, sample, list, order = "" }: Look, ...tools: Node[]) {
    const topics = model.get("topics") as string[];
    this.#topics = topics;
    this.#name = topics.join(", ");
    const label = String(model.get("title") ?? "") || this.#name;
    this.#filter = make("input", {
      class: "nbrt-field", type: "search", placeholder: "Filter", "aria-label": `Filter ${rows}`, spellcheck: "false", autocomplete: "off",
    });
    mark(list, "aria-label", `Messages of ${label}${order}`);
    list.style.height = `${Number(model.get("height"))}px`;
    const publish = `rt.publish(${JSON.stringify(example(topics[0] ?? ""))}, ${sample})`;
    this.#waiting = make("div", { class: "nbrt-empty", hidden: true }, this.#empty, copyable(publish));
    const name = make("span", { class: "nbrt-line nbrt-name", title: this.#name }, label);
    if (label !== this.#name) name.dataset.title = "true";
    this.root = make(
      "div",
      { class: `nbrt-stream nbrt-${of}`, role: "group", "aria-label": `${what} of ${label}`, "data-state": "connecting", "data-lm-suppress-shortcuts": "true" },
      make("div", { class: "nbrt-head" }, this.#state.node, name),
      make("div", { class: "nbrt-tools" }, this.#filter, ...tools, this.#pause),
      make("div", { class: "nbrt-frame" }, this.#newest, list, this.#waiting),
      make("div", { class: "nbrt-foot" }, this.#note, this.#counts),
      this.voice,
    );
    this.root.addEventListener("keydown", (event) => event.stopPropagation());
    this.#filter.addEventListener("input", () => this.#refilter());
    this.#filter.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") this.enter(event);
      if (event.key === "Escape" && this.#filter.value) {
        this.#filter.value = "";
        this.#refilter();
      }
    });
    this.#pause.addEventListener("click", () => this.#hold());
    this.#newest.addEventListener("click", () => this.follow());
    list.addEventListener("scroll", () => {
      this.#drawing ||= requestAnimationFrame(() => this.#draw());
    });
    this.#resized = new ResizeObserver(() => this.#draw());
    this.#resized.observe(list);
    this.#tick = setInterval(() => this.says(), 1000);
  }

  abstract show(frame: Frame): void;

  silent(seconds: number): void {
    this.#stream.silent(seconds);
    this.says();
  }

  close(): void {
    clearInterval(this.#tick);
    cancelAnimationFrame(this.#drawing);
    this.#resized.disconnect();
    this.#summary.stop();
  }

  // -- what they say of themselves ------------------------------------------------------

  /** The times of the newest messages, s since the epoch. */
  protected abstract times(): readonly number[];
  /** Draws what is in view. */
  protected abstract draw(): void;
  /** Lays out anew what is listed; `filtered` when the filter is another. */
  protected abstract refresh(filtered?: boolean): void;
  /** Goes on from the filter to the rows. */
  protected abstract enter(event: Event): void;
  /** Goes back to the newest. */
  protected abstract follow(): void;
  /** Holds what is listed, or lets go of it. */
  protected abstract hold(paused: boolean): void;
  /** Whether no row is listed; and why, though something came. */
  protected abstract bare(): boolean;
  protected abstract nothing(at: State): string;
  /** How much came and is listed. */
  protected abstract counts(at: State): string;

  // -- what they have of it -------------------------------------------------------------

  /** The words that the rows must have in them. */
  protected get words(): string {
    return this.#filter.value;
  }

  protected took(told: State): void {
    this.#stream.took(told, performance.now());
  }

  /** So many rows are above what is in view. */
  protected above(count: number): void {
    this.#newest.hidden = count === 0;
    say(this.#newest, `↑ ${grouped(count)} newer`);
  }

  /** Says how everything stands. */
  protected says(): void {
    const standing = this.#now();
    const { state, word, why } = standing;
    const stream = this.#stream;
    const at = stream.told as State | null;
    mark(this.root, "data-state", state);
    this.#state.show(state, word);
    mark(this.#pause, "aria-disabled", stream.closed && stream.held === null ? "true" : null);
    entitle(this.#note, capital(why, this.#topics));
    mark(this.#note, "data-tone", state === "refused" ? "bad" : why ? "wait" : null);
    entitle(this.#counts, at ? this.counts(at) : "");
    const bare = at !== null && this.bare();
    this.#waiting.hidden = !bare;
    mark(this.#waiting, "data-code", String(at?.came === 0 && state !== "closed" && state !== "refused"));
    if (bare) say(this.#empty, at.came > 0 ? this.nothing(at) : stream.nothing(state, this.#name));
    if (stream.due(standing)) this.#summary.set(null);
  }

  #now(): Standing {
    return this.#stream.at(performance.now(), patience(this.times()));
  }

  #draw(): void {
    this.#drawing = 0;
    this.draw();
  }

  #refilter(): void {
    this.refresh(true);
    this.says();
  }

  #hold(): void {
    const paused = this.#stream.hold();
    this.hold(paused);
    say(this.#pause, paused ? "Resume" : "Pause");
    mark(this.root, "data-paused", paused ? "true" : null);
    this.refresh();
    this.says();
  }
}

/** Says a text where it may have no room for all of it. */
function entitle(node: Element, text: string): void {
  say(node, text);
  mark(node, "title", text || null);
}
