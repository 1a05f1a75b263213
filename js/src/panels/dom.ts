// What the panels are made of: elements, a state said by dot and word, and a quiet voice.
//
// The one rule: an update changes texts and attributes, never the tree. So nothing
// moves, no focus is lost, and what a reader selected stays selected.

type Attributes = Record<string, string | boolean>;

/** Returns a new element; `true` sets an attribute without value, `false` leaves it out. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

/** Sets a node's text if it differs: an equal write would still wake observers and screen readers. */
export function say(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** Sets or, with null, removes an attribute, if it differs. */
export function mark(node: Element, name: string, value: string | null): void {
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** Returns an id that no other element of the page has, for labels. */
export function uniqueId(): string {
  return `nbrt-${Math.random().toString(36).slice(2, 10)}`;
}

export type Tone = "good" | "wait" | "bad" | "off";

const TONES: Record<string, Tone> = {
  live: "good",
  connected: "good",
  connecting: "wait",
  subscribing: "wait",
  reconnecting: "wait",
  offline: "wait",
  silent: "wait",
  ended: "off",
  waiting: "wait",
  stale: "wait",
  paused: "wait",
  refused: "bad",
  disconnected: "off",
  closed: "off",
};

/** Returns how a state is coloured; one that is not known is said by its word alone. */
export function tone(state: string): Tone {
  return TONES[state] ?? "off";
}

/** A state as a dot and a word, of the same width whatever the word. */
export class StateMark {
  readonly node: HTMLElement;
  readonly #word = make("span", { class: "nbrt-word" });

  constructor() {
    this.node = make("span", { class: "nbrt-state" }, make("span", { class: "nbrt-lamp", "aria-hidden": "true" }), this.#word);
    this.show("connecting");
  }

  /** Shows `state`, with another word for it if one is given. */
  show(state: string, word?: string): void {
    mark(this.node, "data-tone", tone(state));
    say(this.#word, word ?? (state === "silent" ? "No answer" : capital(state)));
  }
}

/** Returns `text` with its first letter in upper case, unless it begins with one of `names`: a topic is called as it is. */
export function capital(text: string, names: readonly string[] = []): string {
  if (names.some((name) => text.startsWith(`${name} `) || text.startsWith(`${name}:`))) return text;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const QUIET_MS = 3000;

/** Tells a screen reader about changes, the newest one only, at most every three seconds. */
export class Voice {
  readonly node = make("span", { class: "nbrt-voice", role: "status", "aria-live": "polite" });
  #last = Number.NEGATIVE_INFINITY;
  #next: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #first = true;

  /** Says `text` once the voice has been quiet for long enough. The first text is not a change and only kept. */
  tell(text: string): void {
    if (this.#first) {
      // What is there when a panel appears is read when the reader comes to it; read aloud, every panel of a
      // notebook would speak as it opens.
      this.#first = false;
      this.#said = text;
      return;
    }
    if (text === this.#said && this.#next === null) return;
    this.#next = text;
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#speak(), Math.max(0, this.#last + QUIET_MS - performance.now()));
  }

  /** Forgets what was to be said. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#next = null;
  }

  #said = "";

  #speak(): void {
    this.#timer = undefined;
    if (this.#next === null) return;
    if (this.#next !== this.#said) {
      this.#said = this.#next;
      this.#last = performance.now();
      say(this.node, this.#next);
    }
    this.#next = null;
  }
}

/** Calls `write` now and then with the newest value: at once after a quiet spell, else when `ms` have passed. */
export class Slowly<T> {
  #last = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #value: T | undefined;

  constructor(
    readonly write: (value: T) => void,
    readonly ms: number = QUIET_MS,
  ) {}

  set(value: T): void {
    this.#value = value;
    if (this.#timer !== undefined) return;
    const wait = this.#last + this.ms - performance.now();
    if (wait <= 0) this.#flush();
    else this.#timer = setTimeout(() => this.#flush(), wait);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #flush(): void {
    this.#timer = undefined;
    this.#last = performance.now();
    this.write(this.#value as T);
  }
}
