// Every alert: what fires first, with level and state as colour, symbol and word; below what happened.
//
// Collaborators: panels/panel.ts (frames, theme, silence), alerts/words.ts (what is said),
// alerts/notices.ts (browser notifications).
// The rules: a row is told from another by its alert and stays the same node; ages tick
// here, once a second, and never by moving anything.
import { copyable } from "./shared/copyable";
import type { Frame, Model } from "./shared/channel";
import { clock, count as grouped, day, number } from "./shared/format";
import { unheard } from "./shared/life";
import { here, Notices } from "./alerts/notices";
import { about, quiet, spoken, standing, waiting, when, type Event, type Row, type State } from "./alerts/words";
import { capital, make, mark, say, StateMark, Voice } from "./panels/dom";
import { panel, type Say, type View } from "./panels/panel";
import { counted } from "./panels/words";

/** A triangle, a square, a circle; hollow while it only may come to it. As on the plot (plot/levels.ts). */
function symbol(): SVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "nbrt-sign");
  svg.setAttribute("viewBox", "0 0 12 12");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  return svg;
}

const SHAPES: Record<string, string> = {
  warning: "M6 1.5L11 10.5H1Z",
  critical: "M1.5 1.5H10.5V10.5H1.5Z",
  ok: "M6 2a4 4 0 1 0 .01 0Z",
};

const shape = (svg: Element, level: string, state: string): void => {
  mark(svg.firstElementChild!, "d", SHAPES[state === "firing" || state === "pending" ? level : "ok"] ?? SHAPES.warning!);
};

class AlertLog implements View {
  readonly root: HTMLElement;
  #state = new StateMark();
  #notify = make("button", { class: "nbrt-button", type: "button", "aria-pressed": "false", hidden: true }, "Notify me");
  #list = make("div", { class: "nbrt-rows", role: "list", "aria-label": "Alerts" });
  #frame: HTMLElement;
  #past = make("div", { class: "nbrt-past", role: "log", "aria-live": "off", "aria-label": "What happened, newest first", tabindex: "0" });
  #none = make("div", { class: "nbrt-none nbrt-muted" }, "Nothing has fired");
  #empty = make("div", { class: "nbrt-empty", hidden: true }, make("p", {}, "No alerts yet"), copyable('topic.alert(above=30, for_="10s")'));
  #note = make("span", { class: "nbrt-line nbrt-why" });
  #counts = make("span", { class: "nbrt-line nbrt-counts nbrt-muted" });
  #voice = new Voice();
  #notices = new Notices(here());
  #rows = new Map<number, HTMLElement>();
  #events = new Map<number, HTMLElement>();

  #last: State | null = null;
  #sent = 0;
  #arrived = 0;
  #silent = 0;
  #tick: ReturnType<typeof setInterval>;
  #asked = false;

  constructor(model: Model, readonly tell: Say) {
    const title = String(model.get("title"));
    this.#frame = make("div", { class: "nbrt-frame", tabindex: "0", role: "group", "aria-label": "Alerts, what fires first" }, this.#list, this.#empty);
    this.root = make(
      "div",
      { class: "nbrt-alerts", role: "group", "aria-roledescription": "alert log", "aria-label": `Alerts of ${title}`, "data-state": "connecting", "data-lm-suppress-shortcuts": "true" },
      make("div", { class: "nbrt-head" }, this.#state.node, make("span", { class: "nbrt-line nbrt-name", title }, title), this.#notify),
      this.#frame,
      this.#past,
      make("div", { class: "nbrt-foot" }, this.#note, this.#counts),
      this.#voice.node,
    );
    this.#past.append(this.#none);
    this.#notify.addEventListener("click", () => void this.#toggle());
    this.#tick = setInterval(() => this.#says(), 1000);
    this.#says();
  }

  show(frame: Frame): void {
    const at = frame as unknown as State;
    this.#last = at;
    this.#sent = frame.sent;
    this.#arrived = performance.now();
    this.#silent = 0;
    this.#notices.take(at.events);
    // The kernel may have been started anew, or this page loaded.
    if (this.#notices.on && !this.#asked) this.#ask();
    this.#lay(at.alerts);
    this.#remember(at.events);
    this.#says();
    this.#voice.tell(spoken(at));
  }

  silent(seconds: number): void {
    if (seconds) this.#asked = false;
    this.#silent = seconds;
    this.#says();
  }

  close(): void {
    clearInterval(this.#tick);
    this.#voice.stop();
  }

  async #toggle(): Promise<void> {
    await this.#notices.toggle();
    this.#ask();
    this.#says();
  }

  /** Tells the kernel whether this view notifies: then it hears of alarms while nobody looks, too. */
  #ask(): void {
    this.#asked = true;
    this.tell({ type: "notify", on: this.#notices.on });
  }

  // -- the alerts ---------------------------------------------------------------------

  #lay(rows: readonly Row[]): void {
    const wanted = new Set(rows.map(({ id }) => id));
    for (const [id, node] of this.#rows) {
      if (wanted.has(id)) continue;
      this.#rows.delete(id);
      node.remove();
    }
    let next = this.#list.firstElementChild;
    for (const row of rows) {
      let node = this.#rows.get(row.id);
      if (node === undefined) this.#rows.set(row.id, (node = this.#build()));
      if (node === next) next = node.nextElementSibling;
      else this.#list.insertBefore(node, next);
      this.#dress(node, row);
    }
  }

  #build(): HTMLElement {
    return make(
      "div",
      { class: "nbrt-alert", role: "listitem" },
      symbol() as unknown as HTMLElement,
      make("span", { class: "nbrt-line nbrt-is" }),
      make("span", { class: "nbrt-line nbrt-what" }),
      make("span", { class: "nbrt-line nbrt-value" }),
      make("span", { class: "nbrt-line nbrt-level nbrt-muted" }),
      make("span", { class: "nbrt-line nbrt-about nbrt-muted" }),
      make("span", { class: "nbrt-line nbrt-when nbrt-muted" }),
    );
  }

  #dress(node: HTMLElement, row: Row): void {
    const [sign, is, what, value, level, detail] = node.children as unknown as [Element, ...HTMLElement[]];
    const state = waiting(row) ? "waiting" : row.state;
    mark(node, "data-state", state);
    mark(node, "data-level", row.level);
    shape(sign, row.level, state);
    say(is!, state === "ok" ? "OK" : capital(state));
    say(what!, row.name);
    mark(what!, "title", row.name);
    say(value!, number(row.value));
    say(level!, row.level);
    const said = about(row);
    say(detail!, said);
    mark(detail!, "title", said);
  }

  // -- what happened ------------------------------------------------------------------

  #remember(events: readonly Event[]): void {
    const wanted = new Set(events.map(([id]) => id));
    for (const [id, node] of this.#events) {
      if (wanted.has(id)) continue;
      this.#events.delete(id);
      node.remove();
    }
    let next = this.#past.firstElementChild;
    for (const event of events) {
      let node = this.#events.get(event[0]);
      if (node === undefined) {
        this.#events.set(event[0], (node = this.#happened(event)));
        this.#past.insertBefore(node, next);
      } else next = node.nextElementSibling;
    }
    this.#none.hidden = events.length > 0;
  }

  #happened([, time, level, state, message]: Event): HTMLElement {
    const sign = symbol();
    shape(sign, level, state);
    const at = make("span", { class: "nbrt-at nbrt-muted", title: `${day(time / 1000)} ${clock(time / 1000)}` }, clock(time / 1000));
    const word = make("span", { class: "nbrt-did" }, state === "firing" ? "Fired" : "Cleared");
    const text = make("span", { class: "nbrt-line nbrt-message", title: message }, message);
    return make("div", { class: "nbrt-event", "data-state": state, "data-level": level }, at, sign as unknown as HTMLElement, word, text);
  }

  // -- what is said -------------------------------------------------------------------

  #says(): void {
    const at = this.#last;
    const passed = at === null || at.state === "closed" ? 0 : performance.now() - this.#arrived;
    const { state, word, tone, level } = standing(at, this.#silent, passed);
    mark(this.root, "data-state", state);
    mark(this.root, "data-level", level);
    mark(this.root, "data-firing", at === null ? null : String(at.firing));
    this.#state.show(state, word);
    mark(this.#state.node, "data-tone", tone);
    for (const row of at?.alerts ?? []) {
      const node = this.#rows.get(row.id)!.lastElementChild!;
      say(node, at!.state === "closed" ? "" : when(row, this.#sent + passed, passed));
      mark(node, "data-quiet", quiet(row, passed) ? "true" : null);
    }
    this.#empty.hidden = at === null || at.alerts.length > 0;
    const wanted = at !== null && at.state !== "closed" && at.alerts.some((row) => row.notify);
    this.#notify.hidden = !wanted;
    const cannot = wanted ? this.#notices.why() : "";
    say(this.#notify, this.#notices.on ? "Notifying" : "Notify me");
    mark(this.#notify, "aria-pressed", String(this.#notices.on));
    mark(this.#notify, "aria-disabled", cannot ? "true" : null);
    const why = this.#silent ? `the ${unheard(this.#silent)}` : (at?.why ?? "");
    say(this.#note, capital(why || cannot));
    mark(this.#note, "title", why || cannot || null);
    mark(this.#note, "data-tone", why ? "wait" : null);
    const counts = at === null ? "" : [counted(at.alerts.length + at.more, "alert"), at.more ? `${grouped(at.more)} not shown` : ""].filter(Boolean).join(" · ");
    say(this.#counts, counts);
  }
}

export default panel((model, tell) => new AlertLog(model, tell));
