// A number as text that does not fidget: its prefix and its decimals stay while they can.
//
// Pure. The rules: as many decimals as any of the last values needed, and no more digits than
// were asked for; a prefix grows at once and shrinks only well below its one.
import { number, scaleFor, type Scale } from "../shared/format";

const REMEMBERED = 24;
const BELOW = 0.9;

export interface Told {
  text: string;
  /** With its prefix. */
  unit: string;
}

/** So many decimals leave `digits` significant ones. */
export function room(value: number, digits: number): number {
  return value === 0 ? digits - 1 : Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value))));
}

const decimals = (text: string): number => (text.includes(".") ? text.length - text.indexOf(".") - 1 : 0);

function fixed(value: number, places: number): string {
  const text = value.toFixed(places);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

/** From the least to the greatest, in one unit and with equal decimals: "17.39 – 25.00 °C". */
export function between(low: number, high: number, unit: string, digits: number): string {
  const largest = Math.max(Math.abs(low), Math.abs(high));
  const scale = scaleFor(largest, unit);
  const values = [low / scale.factor, high / scale.factor];
  const plain = values.map((value) => number(value, digits));
  const most = Math.min(Math.max(...plain.map(decimals)), room(largest / scale.factor, digits), 12);
  const texts = plain.some((text) => text.includes("e")) ? plain : values.map((value) => fixed(value, most));
  return `${texts.join(" – ")} ${scale.unit}`.trimEnd();
}

export class Steady {
  #scale: Scale | null = null;
  #needed: number[] = [];

  /** With `largest`, the prefix and the decimals are those that fit it: a number beside a scale. */
  constructor(
    readonly unit = "",
    readonly digits = 4,
    readonly largest = 0,
  ) {
    if (largest > 0) this.#scale = scaleFor(largest, unit);
  }

  tell(value: number | null): Told {
    if (value === null || !Number.isFinite(value)) return { text: "—", unit: this.#scale?.unit ?? this.unit };
    const scale = (this.#scale = this.#scaled(value));
    const shown = value / scale.factor;
    const plain = number(shown, this.digits);
    // With an exponent it has its digits already.
    if (plain.includes("e")) return { text: plain, unit: scale.unit };
    this.#needed.push(decimals(plain));
    if (this.#needed.length > REMEMBERED) this.#needed.shift();
    const most = Math.min(Math.max(...this.#needed), room(Math.max(Math.abs(shown), this.largest / scale.factor), this.digits), 12);
    return { text: fixed(shown, most), unit: scale.unit };
  }

  #scaled(value: number): Scale {
    const kept = this.#scale;
    const wanted = scaleFor(value, this.unit);
    if (kept !== null && this.largest > 0) return kept;
    if (kept === null || wanted.factor === kept.factor) return wanted;
    const stays = value === 0 || (wanted.factor < kept.factor && Math.abs(value) >= BELOW * kept.factor);
    if (!stays) this.#needed = [];
    return stays ? kept : wanted;
  }
}
