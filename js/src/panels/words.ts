// What the panels say: the words beside a state, a count, an age.
//
// Pure. The one rule: a number that is not known is said as such ("—"); an old one is
// never shown as if it were now.
import { count as grouped, duration, number } from "../shared/format";

/** "this notebook and 2 others": who is behind a presence count that includes our own connection. */
export function company(count: number): string {
  if (count <= 1) return "only this notebook";
  return count === 2 ? "this notebook and 1 other" : `this notebook and ${grouped(count - 1)} others`;
}

/** "1 message", "1 204 messages". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

/** "now", "2 s ago", "5 min ago"; "—" if never. */
export function ago(ms: number | null): string {
  if (ms === null) return "—";
  return ms < 1000 ? "now" : `${duration(ms / 1000)} ago`;
}

/** A round trip: "0.4 ms", "2 ms", "1.2 s", "—" if it was not measured. */
export function latency(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms)) return "—";
  if (ms < 1) return `${Math.max(0.1, ms).toFixed(1)} ms`;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** Messages a second: "9.8/s", "120/s", "6/min", "—" for none. */
export function rate(perSecond: number | null): string {
  if (perSecond === null || !Number.isFinite(perSecond) || perSecond <= 0) return "—";
  if (perSecond < 0.095) return `${number(perSecond * 60, 2)}/min`;
  return `${perSecond < 99.95 ? perSecond.toFixed(1) : grouped(perSecond)}/s`;
}

/** An address without what everybody knows: "ws://127.0.0.1:43121/ws" is "127.0.0.1:43121". */
export function address(url: string): string {
  return url.replace(/^ws:\/\//, "").replace(/\/(?:ws\/?)?$/, "");
}

/** "2 waiting to be sent, 3 dropped", or nothing. */
export function backlog(queued: number, dropped: number): string {
  const parts: string[] = [];
  if (queued > 0) parts.push(`${grouped(queued)} waiting to be sent`);
  if (dropped > 0) parts.push(`${grouped(dropped)} dropped`);
  return parts.join(", ");
}

/** Items as a list that ends in words: "a, b and 4 more". */
export function listed(items: readonly string[], most = 4): string {
  if (items.length <= 1) return items.join("");
  const shown = items.slice(0, most);
  if (items.length > most) return `${shown.join(", ")} and ${items.length - most} more`;
  return `${shown.slice(0, -1).join(", ")} and ${shown[shown.length - 1]}`;
}

/** How many circles stand for `count` connections, and what is written behind them. */
export function crowd(count: number, most: number): { circles: number; more: string } {
  if (count <= most) return { circles: Math.max(0, count), more: "" };
  return { circles: most, more: `+${grouped(count - most)}` };
}

/** A topic to publish to: the name itself, or one that a pattern matches, for nobody publishes to a pattern. */
export function example(name: string): string {
  return name.replace(/\*+/g, "a");
}
