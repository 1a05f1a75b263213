// Where an axis has its ticks, and what they say.
//
// Pure. Values: round steps, equal decimals, one SI prefix. On a log scale: round numbers a
// decade or its parts apart, powers of ten where the decades are too many for one prefix.
// Times: at most six, at round local times, the date under the first and under midnight.
import { clock, day, number, offset, scaleFor, tick, type Scale } from "../shared/format";

const TIME_STEPS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800,
  3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 7776000, 31536000,
];

/** The smallest 1-2-5 × 10^k that is at least `least`. */
export function roundStep(least: number): number {
  const power = Math.floor(Math.log10(least));
  for (const step of [1, 2, 5, 10]) {
    const value = power >= 0 ? step * 10 ** power : step / 10 ** -power;
    if (value >= least * (1 - 1e-9)) return value;
  }
  return 10 ** (power + 1);
}

export interface ValueTicks {
  at: number[];
  labels: string[];
  /** The unit with its prefix: the axis' caption. */
  caption: string;
}

export function valueTicks(low: number, high: number, pixels: number, unit: string): ValueTicks {
  const most = Math.max(3, Math.min(7, Math.floor(pixels / 28)));
  const step = roundStep((high - low) / most);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const scale: Scale = scaleFor(Math.max(Math.abs(low), Math.abs(high)), unit);
  const at: number[] = [];
  const labels: string[] = [];
  for (let i = first; i <= last; i++) {
    at.push(i * step);
    labels.push(tick((i * step) / scale.factor, step / scale.factor));
  }
  return { at, labels, caption: scale.unit };
}

const SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹";
/** Steps within a decade, the finest first. */
const PARTS: readonly (readonly number[])[] = [[1, 2, 5], [1, 3]];
/** Pixels between two labels of a log axis. */
const APART = 24;

/** The same for a log scale; `low` > 0. */
export function logTicks(low: number, high: number, pixels: number, unit: string): ValueTicks {
  const caption = (text: string): string => (text ? `${text}, log` : "log");
  if (high / low < 3) {
    // Within a third of a decade the steps of a linear axis are the round numbers.
    const linear = valueTicks(low, high, pixels, unit);
    return { ...linear, caption: caption(linear.caption) };
  }
  const decade = pixels / Math.log10(high / low);
  const first = Math.floor(Math.log10(low) + 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const parts = PARTS.find((steps) => steps.every((one, i) => Math.log10((steps[i + 1] ?? 10) / one) * decade >= APART)) ?? [1];
  const every = Math.max(1, Math.ceil(APART / decade), Math.ceil((last - first) / 8));
  const at: number[] = [];
  for (let power = first; power <= last; power++) {
    if (power % every !== 0) continue;
    for (const part of every === 1 ? parts : [1]) {
      const value = power >= 0 ? part * 10 ** power : part / 10 ** -power;
      if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) at.push(value);
    }
  }
  // One prefix suits its neighbours: that of the middle leaves the fewest noughts at either end.
  const scale = scaleFor(Math.sqrt(low * high), unit);
  const plain = at.map((value) => number(value / scale.factor));
  if (plain.every((text) => text.length <= 6 && !text.includes("e"))) return { at, labels: plain, caption: caption(scale.unit) };
  return { at, labels: at.map(power), caption: caption(unit) };
}

/** "10⁻³", "2·10⁵". */
function power(value: number): string {
  const exponent = Math.floor(Math.log10(value) + 1e-9);
  const digits = String(Math.abs(exponent)).replace(/\d/g, (digit) => SUPERSCRIPT[Number(digit)]!);
  const part = Math.round(value / 10 ** exponent);
  return `${part === 1 ? "" : `${part}·`}10${exponent < 0 ? "⁻" : ""}${digits}`;
}

export interface TimeTicks {
  at: number[];
  labels: string[];
}

const WIDEST = 76;
const HALF = 27;

/**
 * `spare`: pixels right of the axis that a label may use; one that needs more is left out.
 * `zone`: whose round times they are, as for `offset`.
 */
export function timeTicks(low: number, high: number, pixels: number, spare = HALF, zone = ""): TimeTicks {
  const most = Math.max(1, Math.min(6, Math.floor(pixels / WIDEST)));
  const step = TIME_STEPS.find((one) => (high - low) / one <= most) ?? TIME_STEPS[TIME_STEPS.length - 1]!;
  // Round local times: an offset is a multiple of a quarter of an hour, so it matters above that only.
  const ahead = step > 900 ? offset(low, zone) : 0;
  const at: number[] = [];
  const labels: string[] = [];
  let date = "";
  // A window of exactly six steps has seven ends at the moment when they meet the axis'.
  for (let i = Math.ceil((low + ahead) / step - 1e-9); i * step - ahead <= high && at.length < most; i++) {
    let time = i * step - ahead;
    // Clocks that went back or forth since: the wall's round hour is another one.
    if (step > 900) time += ahead - offset(time, zone);
    const today = day(time, zone);
    let label = step >= 86400 ? today : clock(time, true, zone);
    if (step < 1) label += fraction(time, step);
    if (step < 86400 && today !== date) label += `\n${today}`;
    date = today;
    at.push(time);
    const room = ((high - time) / (high - low)) * pixels + spare;
    labels.push(room < HALF + (step < 1 ? 12 : 0) ? "" : label);
  }
  return { at, labels };
}

function fraction(time: number, step: number): string {
  const digits = step >= 0.1 ? 1 : step >= 0.01 ? 2 : 3;
  // Rounded as a whole first: 4.9999 s is the next second's 0, which `clock` floors away.
  const whole = Math.round((time - Math.floor(time)) * 10 ** digits) % 10 ** digits;
  return `.${String(whole).padStart(digits, "0")}`;
}
