// The last entries of a publish box, walked with the arrow keys as in a shell.
//
// Pure. The one rule: what was being written when the walk began is never lost;
// it is what the walk comes back to.

const MOST = 50;

/** A bounded history of entries and a place in it; the place past the newest is the draft. */
export class Entries {
  #kept: string[] = [];
  #place = 0;
  #draft = "";

  /** Keeps a sent entry, once if it repeats the one before, and returns to the draft, now empty. */
  add(entry: string): void {
    if (this.#kept[this.#kept.length - 1] !== entry) this.#kept.push(entry);
    if (this.#kept.length > MOST) this.#kept.shift();
    this.#place = this.#kept.length;
    this.#draft = "";
  }

  /** Returns the entry before the present one, or null at the oldest. `shown` is what stands in the box. */
  older(shown: string): string | null {
    if (this.#place === 0) return null;
    if (this.#place === this.#kept.length) this.#draft = shown;
    this.#place -= 1;
    return this.#kept[this.#place] ?? null;
  }

  /** Returns the entry after the present one, at last the draft, or null if the draft is shown already. */
  newer(): string | null {
    if (this.#place >= this.#kept.length) return null;
    this.#place += 1;
    return this.#place === this.#kept.length ? this.#draft : (this.#kept[this.#place] ?? null);
  }
}
