// Numbers, ages and clock times as people read them.
//
// Pure. Four significant digits, a true minus sign, SI prefixes only for units that take
// them, "—" for none.

const PREFIXES: readonly [number, string][] = [
  [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""], [1e-3, "m"], [1e-6, "µ"], [1e-9, "n"],
];

/** Of which there are no parts: half a byte is no 500 mB. */
const WHOLE = /^(B|bits?|bytes?)(\/|$)/;

/** Units that a prefix would make wrong or odd, and the empty one. */
const PLAIN = /^(|%|‰|°.*|deg.*|dB\w*|ppm|ppb|1|min|h|d|days?|hours?|minutes?|count|counts|rpm|bar|pH)$/i;

export interface Scale {
  /** What a value is divided by before it is shown. */
  factor: number;
  prefix: string;
  /** The unit with its prefix: "kB/s". */
  unit: string;
}

/** One prefix for everything up to `largest`. */
export function scaleFor(largest: number, unit = ""): Scale {
  const size = Math.abs(largest);
  if (!Number.isFinite(size) || size === 0 || (unit !== "" && PLAIN.test(unit))) return { factor: 1, prefix: "", unit };
  if (size < 1 && WHOLE.test(unit)) return { factor: 1, prefix: "", unit };
  if (unit === "") {
    // A bare number keeps its digits as long as they are few.
    if (size < 1e5 && size >= 1e-3) return { factor: 1, prefix: "", unit };
  }
  const [factor, prefix] = PREFIXES.find(([limit]) => size >= limit * 0.9995) ?? PREFIXES[PREFIXES.length - 1]!;
  return { factor, prefix, unit: prefix + unit };
}

const minus = (text: string): string => text.replaceAll("-", "−");

/** Four significant digits, no exponent between 1e-4 and 1e7: "21.5", "−0.004127", "1 204 000". */
export function number(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "—";
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 1e7 || size < 1e-4) {
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
    return minus(`${String(Number(mantissa))}e${Number(exponent)}`);
  }
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
  const rounded = Number(value.toFixed(Math.min(decimals, 12)));
  return minus(Object.is(rounded, -0) ? "0" : String(rounded));
}

/** A value with its unit and prefix: "21.5 °C", "1.204 MB/s", "43 %". */
export function quantity(value: number | null | undefined, unit = ""): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "—";
  const scale = scaleFor(value, unit);
  const text = number(value / scale.factor);
  if (scale.unit === "") return text;
  return unit === "" ? text + scale.unit : `${text} ${scale.unit}`;
}

/** With the digits that a step needs, equal along an axis: 0.50, 1.00, 1.50. */
export function tick(value: number, step: number): string {
  const decimals = Math.max(0, Math.min(12, -Math.floor(Math.log10(step) + 1e-9)));
  const text = value.toFixed(decimals);
  return minus(Number(text) === 0 ? (0).toFixed(decimals) : text);
}

/** "2 s", "3 min", "1 h 5 min". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 120) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.floor(hours / 24)} d`;
}

const two = (value: number): string => String(value).padStart(2, "0");

const offsets = new Map<string, number>();
const clocks = new Map<string, Intl.DateTimeFormat | null>();
let here = { quarter: NaN, name: "" };

/** What tells the time in a zone; null where this browser does not know it. */
function clockIn(name: string): Intl.DateTimeFormat | null {
  let found = clocks.get(name);
  if (found === undefined) {
    try {
      found = new Intl.DateTimeFormat("en-US", {
        timeZone: name, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric",
        hour: "numeric", minute: "numeric", second: "numeric",
      });
    } catch {
      found = null;
    }
    clocks.set(name, found);
  }
  return found;
}

/** Seconds by which a zone is ahead of UTC at that time; "" is the browser's own zone, an unknown one is UTC. */
export function offset(seconds: number, name = ""): number {
  if (name === "") return -60 * new Date(seconds * 1000).getTimezoneOffset();
  if (name === "UTC") return 0;
  // Zones change at quarters of an hour, and formatting costs too much for every tick of every frame.
  const quarter = Math.floor(seconds / 900) * 900;
  const key = `${name} ${quarter}`;
  let ahead = offsets.get(key);
  if (ahead === undefined) {
    const at: Record<string, number> = {};
    for (const { type, value } of clockIn(name)?.formatToParts(quarter * 1000) ?? []) at[type] = Number(value);
    const wall = Date.UTC(at.year!, at.month! - 1, at.day, at.hour, at.minute, at.second) / 1000;
    ahead = Number.isNaN(wall) ? 0 : wall - quarter;
    if (offsets.size > 500) offsets.clear();
    offsets.set(key, ahead);
  }
  return ahead;
}

/** What a calendar and a clock on the wall show there, to be read as if it were UTC. */
const wall = (seconds: number, name: string): Date => new Date((seconds + offset(seconds, name)) * 1000);

/** Wall time of epoch seconds: "14:02:05", or "14:02" without seconds; `name` as for `offset`. */
export function clock(seconds: number, withSeconds = true, name = ""): string {
  const date = wall(seconds, name);
  const text = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  return withSeconds ? `${text}:${two(date.getUTCSeconds())}` : text;
}

/** Date of epoch seconds: "2026-11-22"; `name` as for `offset`. */
export function day(seconds: number, name = ""): string {
  const date = wall(seconds, name);
  return `${date.getUTCFullYear()}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
}

/** The zone as people call it: a chosen one by its name, the browser's by its short name at that time ("GMT+2"). */
export function zone(seconds: number, name = ""): string {
  if (name !== "") return name === "UTC" || clockIn(name) === null ? "UTC" : name.replaceAll("_", " ");
  // A formatter costs a tenth of a millisecond, and a plot asks for every frame.
  const quarter = Math.floor(seconds / 900) * 900;
  if (here.quarter !== quarter) {
    const parts = new Intl.DateTimeFormat(undefined, { timeZoneName: "short" }).formatToParts(quarter * 1000);
    here = { quarter, name: parts.find((part) => part.type === "timeZoneName")?.value ?? "" };
  }
  return here.name;
}

/** Counts with thin spaces between thousands: "12 345". */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u2009");
}
