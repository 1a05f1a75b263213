// How many are here on a topic: a state, a row of circles, a number and its words.
//
// Collaborators: panels/panel.ts (frames, theme, silence), panels/words.ts (what is said).
// The one rule: without a live subscription nobody knows who is here, and the bar says "—".
import type { Frame, Model } from "./shared/channel";
import { count as grouped } from "./shared/format";
import { stateOf, unheard } from "./shared/life";
import { make, mark, say, StateMark, Voice } from "./panels/dom";
import { panel, type View } from "./panels/panel";
import { company, crowd } from "./panels/words";

const CIRCLES = 6;

interface Presence {
  topic: string;
  state: string;
  count: number | null;
  why: string;
}

class PresenceBar implements View {
  readonly root: HTMLElement;
  #state = new StateMark();
  #voice = new Voice();
  #circles: HTMLElement[] = [];
  #more = make("span", { class: "nbrt-more" });
  #count = make("span", { class: "nbrt-count" });
  #who = make("span", { class: "nbrt-line nbrt-muted nbrt-who" });
  #topic = make("span", { class: "nbrt-line nbrt-topic" });
  #last: Presence | null = null;
  #silent = 0;

  constructor(model: Model) {
    for (let i = 0; i < CIRCLES; i++) this.#circles.push(make("span", { class: "nbrt-circle" }));
    const row = make("span", { class: "nbrt-crowd", "aria-hidden": "true" }, ...this.#circles, this.#more);
    this.root = make(
      "div",
      { class: "nbrt-presence", role: "group" },
      make("div", { class: "nbrt-bar" }, this.#state.node, this.#topic, row, this.#count, this.#who),
      this.#voice.node,
    );
    this.#paint({ topic: String(model.get("topic") ?? ""), state: "connecting", count: null, why: "" });
  }

  show(frame: Frame): void {
    this.#last = frame as unknown as Presence;
    this.#silent = 0;
    this.#paint(this.#last);
  }

  silent(seconds: number): void {
    if (this.#last?.state === "closed") return;
    this.#silent = seconds;
    if (this.#last) this.#paint(this.#last);
  }

  close(): void {
    this.#voice.stop();
  }

  #paint(at: Presence): void {
    const state = stateOf(this.#silent, at.state);
    const known = state === "live" && at.count !== null ? at.count : null;
    const { circles, more } = crowd(known ?? 0, CIRCLES);
    mark(this.root, "data-state", state);
    mark(this.root, "aria-label", `Who is here on ${at.topic}`);
    this.#state.show(state);
    this.#circles.forEach((circle, place) => mark(circle, "data-on", place < circles ? (place === 0 ? "us" : "other") : null));
    say(this.#more, more);
    say(this.#count, known === null ? "— here" : `${grouped(known)} here`);
    const who = known !== null ? company(known) : this.#silent ? `the ${unheard(this.#silent)}` : at.why;
    say(this.#who, who);
    mark(this.#who, "title", who);
    say(this.#topic, at.topic);
    mark(this.#topic, "title", at.topic);
    this.#voice.tell(known === null ? `${at.topic}: ${who || state}` : `${grouped(known)} here on ${at.topic}: ${who}`);
  }
}

export default panel((model) => new PresenceBar(model));
