// Where a text stops being JSON, and what was expected there.
//
// Browsers word this differently and some give no place at all, so the box that
// says "line 2, column 9: expected a comma" reads the text itself. The one rule:
// it accepts exactly what RFC 8259 does, since the kernel's decoder does too and
// a box that says "sends an object" must not be contradicted by its kernel.

/** A place in a text that is no JSON, and what is wrong there. */
export interface JsonFault {
  reason: string;
  /** in UTF-16 units, to put the caret there */
  offset: number;
  /** both from 1; columns in code points, as people count */
  line: number;
  column: number;
}

const MAX_DEPTH = 200;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const SPACE = /[ \t\r\n]*/y;
const WORD = /[\p{L}\p{N}_$.+-]+/uy;

class Fault extends Error {
  constructor(
    readonly reason: string,
    readonly offset: number,
  ) {
    super(reason);
  }
}

/** Returns the first fault of `text`, or null if it is one JSON value. */
export function findJsonFault(text: string): JsonFault | null {
  try {
    const end = skip(text, value(text, skip(text, 0), 0));
    if (end < text.length) throw new Fault("nothing may follow the value", end);
    return null;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const before = text.slice(0, error.offset).split("\n");
    const line = before[before.length - 1] ?? "";
    return { reason: error.reason, offset: error.offset, line: before.length, column: [...line].length + 1 };
  }
}

function skip(text: string, at: number): number {
  SPACE.lastIndex = at;
  SPACE.test(text);
  return SPACE.lastIndex;
}

function value(text: string, at: number, depth: number): number {
  if (depth > MAX_DEPTH) throw new Fault(`nested more than ${MAX_DEPTH} deep`, at);
  switch (text[at]) {
    case undefined:
      throw new Fault("a value is missing", at);
    case "{":
      return object(text, at, depth);
    case "[":
      return array(text, at, depth);
    case '"':
      return string(text, at);
    case "'":
      throw new Fault('text stands in double quotes: "…"', at);
  }
  for (const word of ["true", "false", "null"]) {
    if (text.startsWith(word, at) && !/[\p{L}\p{N}_$]/u.test(text[at + word.length] ?? "")) {
      return at + word.length;
    }
  }
  return number(text, at);
}

function number(text: string, at: number): number {
  NUMBER.lastIndex = at;
  const found = NUMBER.test(text) ? NUMBER.lastIndex : at;
  WORD.lastIndex = found;
  const rest = WORD.test(text);
  if (found > at && !rest) return found;
  WORD.lastIndex = at;
  if (!WORD.test(text)) throw new Fault("expected a value", at);
  const word = text.slice(at, WORD.lastIndex);
  if (/^-?(NaN|Infinity)$/.test(word)) throw new Fault(`JSON has no ${word}: write null for a gap`, at);
  if (/^(True|False|None)$/.test(word)) {
    const json = word === "None" ? "null" : word.toLowerCase();
    throw new Fault(`JSON writes ${json} for ${word}`, at);
  }
  if (/^-?0[0-9]/.test(word)) throw new Fault("a number begins with no zero", at);
  if (/^[-+.0-9]/.test(word)) throw new Fault(`${short(word)} is no number`, at);
  throw new Fault(`${short(word)} is no value: text stands in double quotes`, at);
}

function short(word: string): string {
  const characters = [...word];
  return characters.length > 16 ? `${characters.slice(0, 15).join("")}…` : word;
}

function string(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    const character = text[i]!;
    if (character === '"') return i + 1;
    if (character < " ") {
      const name = character === "\n" ? "a line break" : character === "\t" ? "a tab" : "a control character";
      const escape = character === "\n" ? "\\n" : character === "\t" ? "\\t" : "\\u00…";
      throw new Fault(`${name} in a text is written ${escape}`, i);
    }
    if (character === "\\") {
      const next = text[i + 1];
      if (next === "u") {
        if (!/^[0-9a-fA-F]{4}$/.test(text.slice(i + 2, i + 6))) throw new Fault("\\u needs four hex digits", i);
        i += 5;
      } else if (next !== undefined && '"\\/bfnrt'.includes(next)) {
        i += 1;
      } else {
        throw new Fault("no such escape: a backslash is written \\\\", i);
      }
    }
  }
  throw new Fault("this text has no closing quote", at);
}

function array(text: string, open: number, depth: number): number {
  let at = skip(text, open + 1);
  if (text[at] === "]") return at + 1;
  for (;;) {
    at = skip(text, value(text, at, depth + 1));
    if (text[at] === "]") return at + 1;
    if (text[at] === undefined) throw new Fault("the list is not closed: ] is missing", at);
    if (text[at] !== ",") throw new Fault("expected a comma or ]", at);
    const comma = at;
    at = skip(text, at + 1);
    if (text[at] === "]") throw new Fault("no comma after the last item", comma);
  }
}

function object(text: string, open: number, depth: number): number {
  let at = skip(text, open + 1);
  if (text[at] === "}") return at + 1;
  for (;;) {
    if (text[at] === undefined) throw new Fault("the object is not closed: } is missing", at);
    if (text[at] !== '"') throw new Fault('a field\'s name stands in double quotes: "…"', at);
    at = skip(text, string(text, at));
    if (text[at] !== ":") throw new Fault("expected a colon after the field's name", at);
    at = skip(text, value(text, skip(text, at + 1), depth + 1));
    if (text[at] === "}") return at + 1;
    if (text[at] === undefined) throw new Fault("the object is not closed: } is missing", at);
    if (text[at] !== ",") throw new Fault("expected a comma or }", at);
    const comma = at;
    at = skip(text, at + 1);
    if (text[at] === "}") throw new Fault("no comma after the last field", comma);
  }
}
