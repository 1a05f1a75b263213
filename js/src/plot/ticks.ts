// Where an axis has its ticks, and what they say.
//
// Pure. Values: round steps, equal decimals, one SI prefix. Times: at most six, at round
// local times, the date under the first and under midnight.
import { clock, day, scaleFor, tick, type Scale } from "../shared/format";

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

export interface TimeTicks {
  at: number[];
  labels: string[];
}

const WIDEST = 76;
const HALF = 27;

/** `spare`: pixels right of the axis that a label may use; one that needs more is left out. */
export function timeTicks(low: number, high: number, pixels: number, spare = HALF): TimeTicks {
  const most = Math.max(1, Math.min(6, Math.floor(pixels / WIDEST)));
  const step = TIME_STEPS.find((one) => (high - low) / one <= most) ?? TIME_STEPS[TIME_STEPS.length - 1]!;
  // Round local times: an offset is a multiple of a quarter of an hour, so it matters above that only.
  const offset = step > 900 ? -60 * new Date(low * 1000).getTimezoneOffset() : 0;
  const at: number[] = [];
  const labels: string[] = [];
  let date = "";
  for (let i = Math.ceil((low + offset) / step - 1e-9); i * step - offset <= high; i++) {
    const time = i * step - offset;
    const today = day(time);
    let label = step >= 86400 ? today : clock(time);
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
