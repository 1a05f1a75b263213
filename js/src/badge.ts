// One connection in two lines: its state, where to and as whom, how quick, what waits, what is wrong.
//
// Collaborators: panels/panel.ts (frames, theme, silence), panels/words.ts (what is said).
// The one rule: the button is always where it was; when there is nothing to do it is quiet.
import type { Frame, Model } from "./shared/channel";
import { stateOf, unheard } from "./shared/life";
import { capital, make, mark, say, StateMark, Voice } from "./panels/dom";
import { panel, type View } from "./panels/panel";
import { address, backlog, latency } from "./panels/words";

interface Connection {
  state: string;
  url: string;
  user: string | null;
  latency: number | null; // ms
  attempts: number;
  queued: number;
  dropped: number;
  error: string | null;
}

/** How long the button stays quiet after it was pressed: about one attempt. */
const TRYING_MS = 1500;

class Badge implements View {
  readonly root: HTMLElement;
  #state = new StateMark();
  #voice = new Voice();
  #url = make("span", { class: "nbrt-line nbrt-url" });
  #user = make("span", { class: "nbrt-line" });
  #latency = make("span", { class: "nbrt-latency nbrt-muted" });
  #note = make("p", { class: "nbrt-note" });
  #button = make("button", { class: "nbrt-button", type: "button" }, "Reconnect now");
  /** What was heard last; from a kernel that ended before its first word, nothing ever comes. */
  #last: Connection = { state: "connecting", url: "", user: null, latency: null, attempts: 0, queued: 0, dropped: 0, error: null };
  #silent = 0;
  #trying: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly model: Model) {
    this.root = make(
      "div",
      { class: "nbrt-badge", role: "group", "aria-label": "Connection" },
      make(
        "div",
        { class: "nbrt-bar" },
        this.#state.node,
        make("span", { class: "nbrt-meta" }, this.#url, this.#user, this.#latency),
        this.#button,
      ),
      this.#note,
      this.#voice.node,
    );
    this.#button.addEventListener("click", () => this.#reconnect());
    this.#paint(this.#last);
  }

  show(frame: Frame): void {
    this.#last = frame as unknown as Connection;
    this.#silent = 0;
    this.#paint(this.#last);
  }

  silent(seconds: number): void {
    if (this.#last.state === "closed") return;
    this.#silent = seconds;
    this.#paint(this.#last);
  }

  close(): void {
    clearTimeout(this.#trying);
    this.#voice.stop();
  }

  #reconnect(): void {
    if (this.#button.getAttribute("aria-disabled") === "true") return;
    this.model.send?.({ type: "reconnect" });
    say(this.#button, "Trying…");
    mark(this.#button, "aria-disabled", "true");
    this.#trying = setTimeout(() => {
      this.#trying = undefined;
      say(this.#button, "Reconnect now");
      this.#paint(this.#last);
    }, TRYING_MS);
  }

  #paint(at: Connection): void {
    const state = stateOf(this.#silent, at.state);
    const useful = !this.#silent && (at.state === "reconnecting" || at.state === "connecting" || at.state === "disconnected");
    mark(this.root, "data-state", state);
    this.#state.show(state);
    say(this.#url, at.url ? address(at.url) : "—");
    mark(this.#url, "title", at.url || null);
    say(this.#user, at.user ?? "—");
    mark(this.#user, "title", at.user);
    say(this.#latency, at.state === "connected" && !this.#silent ? latency(at.latency) : "—");
    const { text, tone } = this.#sentence(at);
    say(this.#note, text);
    mark(this.#note, "data-tone", tone);
    mark(this.#note, "title", text || null);
    if (this.#trying === undefined) {
      mark(this.#button, "aria-disabled", String(!useful));
      // Reachable while it is of use, and for as long as it is focused: focus is never taken away.
      this.#button.tabIndex = useful || document.activeElement === this.#button ? 0 : -1;
    }
    this.#voice.tell(`Connection ${this.#silent ? "unknown" : state}${text ? `: ${text}` : ""}`);
  }

  #sentence(at: Connection): { text: string; tone: string | null } {
    if (this.#silent) return { text: `The ${unheard(this.#silent)}`, tone: "wait" };
    const parts: string[] = [];
    if (at.state !== "connected" && at.state !== "closed" && at.attempts > 0) parts.push(`attempt ${at.attempts}`);
    const waiting = backlog(at.queued, at.dropped);
    if (waiting) parts.push(waiting);
    if (at.error) parts.push(at.error);
    return { text: capital(parts.join(" · ")), tone: at.error ? "bad" : at.dropped > 0 || at.state === "reconnecting" ? "wait" : null };
  }
}

export default panel((model) => new Badge(model));
