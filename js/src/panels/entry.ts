// What a publish box will send: a text and a mode in, a decision and its words out.
//
// Pure. The one rule: the box never guesses silently. Whatever it takes an entry
// for is said beside it before anything is sent, and what looks like JSON but is
// not is refused, not sent as text.

import { findJsonFault } from "./json";

export type Mode = "auto" | "json" | "text";

export const MODES: readonly Mode[] = ["auto", "json", "text"];

/** What would be sent, or why nothing can be. */
export type Reading =
  | { send: "json" | "text"; says: string }
  | { send: null; empty: true; says: string }
  | { send: null; empty: false; says: string; offset: number };

/** Returns how `text` is understood in `mode`, in words that finish the sentence "sends …". */
export function read(text: string, mode: Mode): Reading {
  if (text.trim() === "" && (mode !== "text" || text === "")) {
    return { send: null, empty: true, says: emptySays(mode) };
  }
  if (mode === "text") return { send: "text", says: `sends the text ${quoted(text)}` };
  const fault = findJsonFault(text);
  if (fault === null) return { send: "json", says: `sends ${described(text)}` };
  if (mode === "auto" && !looksLikeJson(text)) return { send: "text", says: `sends the text ${quoted(text)}` };
  const place = text.includes("\n") ? `line ${fault.line}, column ${fault.column}` : `column ${fault.column}`;
  const way = mode === "auto" ? " (Text sends it as it stands)" : "";
  return { send: null, empty: false, says: `not JSON, ${place}: ${fault.reason}${way}`, offset: fault.offset };
}

function emptySays(mode: Mode): string {
  if (mode === "json") return "a number, a list, an object, or \"text\" in quotes";
  if (mode === "text") return "everything is sent as text";
  return "a number, JSON, or plain text";
}

/** Whether somebody who wrote this meant JSON: it begins as only a list, an object or a text in JSON does. */
function looksLikeJson(text: string): boolean {
  return /^\s*(?:[[{]|"[^"]*$|"(?:[^"\\]|\\.)*"\s*$)/.test(text);
}

function described(text: string): string {
  const value: unknown = JSON.parse(text);
  if (value === null) return "null, which is a gap in a plot";
  if (typeof value === "boolean") return String(value);
  // The number as it was typed: JSON.parse would round a long one, and the kernel does not.
  if (typeof value === "number") return `the number ${shortened(text.trim())}`;
  if (typeof value === "string") return `the text ${quoted(value)}`;
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  const fields = Object.keys(value as object);
  if (fields.length === 0) return "an empty object";
  const named = fields.slice(0, 3).map((field) => shortened(field, 16));
  const more = fields.length > named.length ? ", …" : "";
  return `an object with ${fields.length === 1 ? "the field" : `${fields.length} fields:`} ${named.join(", ")}${more}`;
}

/** Returns `text` on one line and no longer than `most` characters. */
export function shortened(text: string, most = 32): string {
  const line = [...text.replace(/\s+/g, " ")];
  return line.length > most ? `${line.slice(0, most - 1).join("")}…` : line.join("");
}

function quoted(text: string): string {
  return `“${shortened(text)}”`;
}

const MAX_CODE_POINTS = 255;

/** Returns why `name` names no topic (the rules of the wire protocol), or null. */
export function topicFault(name: string): string | null {
  const points = [...name];
  if (points.length === 0) return "a topic has a name, such as lab:temp";
  if (points.length > MAX_CODE_POINTS) return `the topic has ${points.length} characters; ${MAX_CODE_POINTS} are allowed`;
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f-\u009f]/.test(name) || points.some(isLoneSurrogate)) {
    return "the topic has a control character";
  }
  if (name.trim() !== name) return "the topic begins or ends with a space";
  if (name.includes("*")) return "a topic to publish to has no *";
  if (name.split(/[:/]/).includes("")) return "the topic has an empty part: two separators in a row, or one at an end";
  if (name.startsWith("$")) return "topics that begin with $ are the server's own";
  return null;
}

function isLoneSurrogate(point: string): boolean {
  return point.length === 1 && point >= "\ud800" && point <= "\udfff";
}
