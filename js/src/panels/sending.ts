// What became of each entry: sent off, waiting for the kernel, answered.
//
// Pure: every time is an argument (ms). The one rule: an entry is "sent" only when the kernel
// says so. While a cell runs on ipykernel 6 the kernel hears nothing, and the box says that
// it waits instead of pretending. Of a kernel that has ended nothing waits: what it has not
// answered by then, nobody will.

export interface Entry {
  id: number;
  topic: string;
  text: string;
  at: number;
}

/** What the kernel says of one entry. */
export interface Answer {
  id: number;
  outcome: "sent" | "queued" | "refused";
  says: string;
}

/** The kernel that answers: `silent` says nothing at all, and `ended` never will again (restarted, died, shut down). */
export type Kernel = "there" | "silent" | "ended";

/** Why the server refused, by topic; it says so later than the kernel's answer, and may not say of which entry. */
export type Refusals = Readonly<Record<string, string>>;

export interface Outcome {
  text: string;
  tone: "bad" | "wait" | null;
}

/** Quicker answers need no word in between. */
const SOON_MS = 300;
/** Later than this the kernel is computing, or the page's way to it is blocked. */
const BUSY_MS = 1000;

export class Sending {
  #waiting = new Map<number, Entry>();
  #next = 1;
  #outcome: Outcome = { text: "", tone: null };
  #sentTo: string | null = null;

  /** Takes an entry that is being sent to the kernel now. */
  begin(topic: string, text: string, now: number): Entry {
    const entry = { id: this.#next++, topic, text, at: now };
    this.#waiting.set(entry.id, entry);
    return entry;
  }

  /** Takes the kernel's answer; returns its entry, or null if nothing waits for it. `at` is the time of day. */
  answered(answer: Answer, at: string): Entry | null {
    const entry = this.#waiting.get(answer.id);
    if (entry === undefined) return null;
    this.#waiting.delete(answer.id);
    this.#sentTo = answer.outcome === "sent" ? entry.topic : null;
    const text = answer.outcome === "refused" ? answer.says : `${answer.says} · ${at}`;
    this.#outcome = { text, tone: answer.outcome === "refused" ? "bad" : answer.outcome === "queued" ? "wait" : null };
    return entry;
  }

  /** Takes a fault that the box found by itself; nothing was sent. */
  refused(text: string): void {
    this.#sentTo = null;
    this.#outcome = { text, tone: "bad" };
  }

  /** Forgets the last word, once the user goes on writing after a refusal. */
  clear(): void {
    if (this.#outcome.tone === "bad") this.#outcome = { text: "", tone: null };
  }

  /** Returns how many entries have no answer yet. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Returns what to say now. */
  says(now: number, kernel: Kernel, refusals: Refusals = {}): Outcome {
    const many = this.#waiting.size;
    const entries = many === 1 ? "1 entry" : `${many} entries`;
    if (kernel === "ended") {
      const left = many === 0 ? "" : `, ${entries} unanswered`;
      const text = `The kernel of this box has ended${left}. Run the cell again`;
      return { text, tone: many === 0 ? "wait" : "bad" };
    }
    const oldest = this.#waiting.values().next().value;
    if (oldest === undefined || now - oldest.at < SOON_MS) {
      const refusal = this.#sentTo === null ? undefined : refusals[this.#sentTo];
      if (refusal === undefined) return this.#outcome;
      return { text: `The server refused ${this.#sentTo}: ${refusal}`, tone: "bad" };
    }
    // Not "waits": that it will be taken when the kernel speaks again is not known.
    if (kernel === "silent") return { text: `The kernel is not answering, ${entries} unanswered`, tone: "wait" };
    if (now - oldest.at < BUSY_MS) return { text: "Sending…", tone: null };
    return { text: `Kernel busy, ${entries} ${many === 1 ? "waits" : "wait"} until its cell ends`, tone: "wait" };
  }
}
