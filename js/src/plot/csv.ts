// What a view holds of a span, as a table for a spreadsheet.
//
// Pure. RFC 4180, a line per time, a column per series; of a band three, because a mean
// alone would be an invention. Times are ISO 8601 in UTC and seconds since the epoch.
//
// The one rule: a name that a publisher chose is never a formula.
import type { Store } from "./store";

/** Columns that begin so are run by spreadsheets. */
const FORMULA = /^[=+\-@\t\r]/;

function cell(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The table of what lies from `from` to `to`. */
export function csv(labels: readonly string[], stores: readonly Store[], from: number, to: number): string {
  const head = ["time", "epoch"];
  const rows = new Map<number, string[]>();
  let width = 0;
  stores.forEach((store, index) => {
    const label = labels[index] ?? `series ${index + 1}`;
    const band = store.mode === "band";
    const columns = band ? [store.low, store.value, store.high] : [store.value];
    const decimals = decimalsOf(store, from, to);
    head.push(...(band ? [`${label} min`, `${label} mean`, `${label} max`] : [label]));
    for (let i = store.start; i < store.end; i++) {
      const time = store.time[i]!;
      if (time < from || time > to) continue;
      // Series of one message have one time; two clocks' microseconds are two lines.
      const key = Math.round(time * 1e6);
      let row = rows.get(key);
      if (row === undefined) rows.set(key, (row = []));
      columns.forEach((column, offset) => (row[width + offset] = shortest(column[i]!, decimals)));
    }
    width += columns.length;
  });
  const lines = [head.map(cell).join(",")];
  for (const key of [...rows.keys()].sort((one, other) => one - other)) {
    const row = rows.get(key)!;
    const values = Array.from({ length: width }, (_, i) => row[i] ?? "");
    lines.push([iso(key), (key / 1e6).toFixed(6), ...values].join(","));
  }
  return lines.join("\r\n") + "\r\n";
}

/** Values travel as single precision of what they differ by: what is finer than a millionth of that is noise. */
function decimalsOf(store: Store, from: number, to: number): number | null {
  let [low, high] = [Infinity, -Infinity];
  for (let i = store.start; i < store.end; i++) {
    if (store.time[i]! < from || store.time[i]! > to) continue;
    if (store.low[i]! < low) low = store.low[i]!;
    if (store.high[i]! > high) high = store.high[i]!;
  }
  const decimals = Math.max(0, Math.ceil(6 - Math.log10(high - low)));
  return decimals <= 20 ? decimals : null;
}

function shortest(value: number, decimals: number | null): string {
  if (!Number.isFinite(value)) return "";
  return String(Number(decimals === null ? value.toPrecision(15) : value.toFixed(decimals)));
}

function iso(micros: number): string {
  const whole = new Date(Math.floor(micros / 1000)).toISOString();
  return `${whole.slice(0, -1)}${String(((micros % 1000) + 1000) % 1000).padStart(3, "0")}Z`;
}

/** A file's name: what is shown, and when. */
export function fileName(title: string, seconds: number, ending: string): string {
  const words = title.normalize("NFKD").replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[-.]+|[-.]+$/g, "").slice(0, 60);
  const stamp = new Date(seconds * 1000).toISOString().slice(0, 19).replaceAll(":", "").replace("T", "-");
  return `${words || "plot"}-${stamp}.${ending}`;
}
