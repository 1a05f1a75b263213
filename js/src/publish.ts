// A box to publish from: a topic, an entry, and in words what will be sent and what became of it.
//
// Collaborators: panels/entry.ts decides what an entry is, panels/sending.ts what became of it,
// panels/entries.ts keeps the last ones; the kernel (widgets/publish.py) checks everything again.
// The one rule: the keyboard stays where it is. Nothing that arrives moves the focus or the caret.
import type { Frame, Model } from "./shared/channel";
import { clock } from "./shared/format";
import { stateOf } from "./shared/life";
import { capital, make, mark, say, StateMark, uniqueId, Voice } from "./panels/dom";
import { Entries } from "./panels/entries";
import { MODES, read, topicFault, type Mode } from "./panels/entry";
import { panel, type View } from "./panels/panel";
import { Sending, type Answer, type Kernel, type Refusals } from "./panels/sending";

interface State {
  state: string;
  why: string;
  refusals: Refusals;
}

const NAMES: Record<Mode, string> = { auto: "Auto", json: "JSON", text: "Text" };
const TALLEST = 172;
/** A topic with more characters has a row of its own: beside the value it would be cut. */
const LONG_TOPIC = 20;

class PublishBox implements View {
  readonly root: HTMLElement;
  readonly #model: Model;
  readonly #me = uniqueId();
  readonly #editable: boolean;
  #state = new StateMark();
  #voice = new Voice();
  #modes: HTMLInputElement[] = [];
  #topic: HTMLInputElement;
  #entry: HTMLTextAreaElement;
  #send = make("button", { class: "nbrt-button nbrt-send", type: "button" }, "Publish");
  #hint = make("p", { class: "nbrt-line nbrt-muted nbrt-hint" });
  #note = make("p", { class: "nbrt-note" });
  #entries = new Entries();
  #sending = new Sending();
  #last: State = { state: "connecting", why: "", refusals: {} };
  #silent = 0;
  #over = false;
  #clock: ReturnType<typeof setInterval>;

  constructor(model: Model) {
    this.#model = model;
    this.#editable = Boolean(model.get("editable"));
    const ids = { topic: uniqueId(), entry: uniqueId(), hint: uniqueId() };
    this.#hint.id = ids.hint;
    this.#topic = make("input", {
      id: ids.topic, class: "nbrt-field", type: "text", placeholder: "e.g. lab:temp", spellcheck: "false",
      autocomplete: "off", autocapitalize: "off", readonly: !this.#editable, "data-lm-suppress-shortcuts": "true",
    });
    this.#topic.value = String(model.get("topic") ?? "");
    this.#entry = make("textarea", {
      id: ids.entry, class: "nbrt-field", rows: "1", placeholder: "e.g. 21.5", spellcheck: "false", autocomplete: "off",
      autocapitalize: "off", "aria-describedby": ids.hint, "data-lm-suppress-shortcuts": "true",
    });
    const modes = make("div", { class: "nbrt-modes", role: "radiogroup", "aria-label": "How the entry is sent" });
    const group = uniqueId();
    for (const mode of MODES) {
      const radio = make("input", { type: "radio", name: group, value: mode, "data-lm-suppress-shortcuts": "true" });
      radio.checked = mode === String(model.get("mode"));
      radio.addEventListener("change", () => this.#read());
      this.#modes.push(radio);
      modes.append(make("label", {}, radio, make("span", {}, NAMES[mode])));
    }
    this.root = make(
      "div",
      { class: "nbrt-publish", role: "group", "aria-label": "Publish", "data-lm-suppress-shortcuts": "true" },
      make("div", { class: "nbrt-head" }, this.#state.node, modes),
      make(
        "div",
        { class: "nbrt-fields" },
        make("label", { for: ids.topic, class: "nbrt-muted nbrt-label" }, "Topic"),
        make("label", { for: ids.entry, class: "nbrt-muted nbrt-label" }, "Value"),
        this.#topic,
        this.#entry,
        this.#send,
      ),
      make("div", { class: "nbrt-says" }, this.#hint, this.#note),
      this.#voice.node,
    );
    // Of the topic that it begins with, not of what is typed: a field that moved away would be a nuisance.
    mark(this.root, "data-long", this.#topic.value.length > LONG_TOPIC ? "" : null);
    this.#listen();
    this.#read();
    this.#paint();
    this.#clock = setInterval(() => this.#paint(), 250);
  }

  show(frame: Frame): void {
    this.#last = frame as unknown as State;
    this.#silent = 0;
    this.#paint();
  }

  silent(seconds: number): void {
    this.#silent = seconds;
    this.#paint();
  }

  close(): void {
    clearInterval(this.#clock);
    this.#voice.stop();
    this.#model.off("msg:custom", this.#answered);
  }

  #kernel(): Kernel {
    return stateOf(this.#silent, "there");
  }

  #listen(): void {
    this.#model.on("msg:custom", this.#answered);
    this.#send.addEventListener("click", () => this.#publish());
    this.#entry.addEventListener("input", () => this.#wrote());
    this.#topic.addEventListener("input", () => this.#wrote());
    // The host's own shortcuts (Shift+Enter runs a cell) end at the box; what it does not use goes on.
    this.root.addEventListener("keydown", (event) => event.stopPropagation());
    this.#topic.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      this.#entry.focus();
    });
    this.#entry.addEventListener("keydown", (event) => this.#key(event));
  }

  #key(event: KeyboardEvent): void {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#publish();
      return;
    }
    if (event.shiftKey || event.altKey || event.ctrlKey || event.metaKey) return;
    const { value, selectionStart, selectionEnd } = this.#entry;
    if (selectionStart !== selectionEnd) return;
    // In an entry of several lines the arrows move through it first.
    let walked: string | null = null;
    if (event.key === "ArrowUp" && !value.slice(0, selectionStart).includes("\n")) walked = this.#entries.older(value);
    else if (event.key === "ArrowDown" && !value.slice(selectionEnd).includes("\n")) walked = this.#entries.newer();
    if (walked === null) return;
    event.preventDefault();
    this.#put(walked);
  }

  #mode(): Mode {
    return (this.#modes.find((radio) => radio.checked)?.value ?? "auto") as Mode;
  }

  #wrote(): void {
    this.#sending.clear();
    this.#read();
    this.#paint();
  }

  #put(text: string): void {
    this.#entry.value = text;
    this.#entry.setSelectionRange(text.length, text.length);
    this.#wrote();
  }

  /** Says what the box holds, while it can be sent. A topic that is not begun yet is no fault. */
  #read(): void {
    const reading = read(this.#entry.value, this.#mode());
    const broken = reading.send === null && !reading.empty;
    const says = this.#over ? "" : capital(reading.says);
    say(this.#hint, says);
    mark(this.#hint, "title", says);
    mark(this.#hint, "data-tone", broken ? "bad" : null);
    mark(this.#entry, "aria-invalid", broken ? "true" : null);
    const wrong = this.#topic.value !== "" && topicFault(this.#topic.value) !== null;
    mark(this.#topic, "aria-invalid", wrong ? "true" : null);
    mark(this.#topic, "title", this.#topic.value || null);
    // As high as what was written, within bounds; only writing changes it.
    this.#entry.style.height = "";
    if (this.#entry.value.includes("\n")) {
      this.#entry.style.height = `${Math.min(TALLEST, this.#entry.scrollHeight + 2)}px`;
    }
  }

  #publish(): void {
    if (this.#last.state === "closed") return this.#refuse("This box is closed");
    if (this.#kernel() === "ended") return this.#paint();
    const topic = this.#topic.value;
    const fault = topicFault(topic);
    if (fault !== null) {
      this.#refuse(`Not sent: ${fault}`);
      if (this.#editable) this.#topic.focus();
      return;
    }
    const text = this.#entry.value;
    const reading = read(text, this.#mode());
    if (reading.send === null) {
      // Where it broke stands in the line above, and the caret goes there.
      this.#refuse(reading.empty ? "Nothing to send yet" : "Not sent, since it is not valid JSON");
      this.#entry.focus();
      if (!reading.empty) this.#entry.setSelectionRange(reading.offset, reading.offset);
      return;
    }
    const entry = this.#sending.begin(topic, text, performance.now());
    this.#entries.add(text);
    try {
      this.#model.send?.({ type: "publish", box: this.#me, id: entry.id, topic, mode: reading.send, text });
    } catch {
      const says = "Not sent: the page has lost its way to the kernel";
      return this.#answered({ type: "answer", box: this.#me, id: entry.id, outcome: "refused", says });
    }
    this.#put("");
    this.#paint();
  }

  #refuse(text: string): void {
    this.#sending.refused(text);
    this.#paint();
  }

  #answered = (content: unknown): void => {
    const answer = content as Answer & { type?: string; box?: string };
    if (answer?.type !== "answer" || answer.box !== this.#me) return;
    const entry = this.#sending.answered(answer, clock(Date.now() / 1000));
    // What was refused comes back to be mended, unless something else is being written.
    if (entry !== null && answer.outcome === "refused" && this.#entry.value === "") {
      this.#entry.value = entry.text;
      this.#read();
    }
    this.#paint();
  };

  #paint(): void {
    const closed = this.#last.state === "closed";
    const kernel = closed ? "there" : this.#kernel();
    const state = kernel === "there" ? this.#last.state : kernel;
    const over = closed || kernel === "ended";
    if (over !== this.#over) {
      this.#over = over;
      this.#read(); // what will never be sent is not announced
    }
    mark(this.root, "data-state", state);
    this.#state.show(state);
    mark(this.#send, "aria-disabled", over ? "true" : null);
    this.#entry.readOnly = over;
    this.#topic.readOnly = over || !this.#editable;
    const outcome = this.#sending.says(performance.now(), kernel, this.#last.refusals);
    const text = outcome.text || capital(this.#last.why);
    say(this.#note, text);
    mark(this.#note, "data-tone", outcome.text ? outcome.tone : this.#last.why ? "wait" : null);
    mark(this.#note, "title", text || null);
    // The state mark says the state; the voice tells what became of an entry.
    this.#voice.tell(text);
  }
}

export default panel((model) => new PublishBox(model));
