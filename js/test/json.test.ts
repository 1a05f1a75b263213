import assert from "node:assert/strict";
import { test } from "node:test";
import { findJsonFault } from "../src/panels/json";

const accepts = (text: string): boolean => findJsonFault(text) === null;
const parses = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

test("accepts what JSON is, with space around it", () => {
  for (const text of ["0", "-1.5e+3", '""', '"a\\u00e9\\n"', "true", "null", "[]", "{}", ' {"a": [1, {"b": null}]} \n']) {
    assert.ok(accepts(text), text);
  }
});

test("agrees with the browser's own parser on broken texts", () => {
  const whole = '{"a": [1, -2.5e3, "x\\n", true], "b": {"c": null}}';
  const marks = ['"', ",", ":", "[", "]", "{", "}", "0", "-", ".", "e", "\\", " ", "x", "\n"];
  for (let cut = 0; cut <= whole.length; cut++) {
    for (const mark of ["", ...marks]) {
      for (const text of [whole.slice(0, cut) + mark, whole.slice(0, cut) + mark + whole.slice(cut), whole.slice(0, cut) + mark + whole.slice(cut + 1)]) {
        assert.equal(accepts(text), parses(text), JSON.stringify(text));
      }
    }
  }
});

test("says line and column, counted in characters as people see them", () => {
  assert.deepEqual(findJsonFault('{\n  "🌡": 21.5\n  "b": 1\n}'), { reason: "expected a comma or }", offset: 17, line: 3, column: 3 });
  assert.deepEqual(findJsonFault('["🌡" 1]'), { reason: "expected a comma or ]", offset: 6, line: 1, column: 6 });
});

test("says what to write instead", () => {
  const reason = (text: string): string | undefined => findJsonFault(text)?.reason;
  assert.equal(reason("[1,]"), "no comma after the last item");
  assert.equal(reason('{"a":1,}'), "no comma after the last field");
  assert.equal(reason("{a: 1}"), 'a field\'s name stands in double quotes: "…"');
  assert.equal(reason("['a']"), 'text stands in double quotes: "…"');
  assert.equal(reason("[NaN]"), "JSON has no NaN: write null for a gap");
  assert.equal(reason("[True]"), "JSON writes true for True");
  assert.equal(reason("[None]"), "JSON writes null for None");
  assert.equal(reason("[007]"), "a number begins with no zero");
  assert.equal(reason("[warm]"), "warm is no value: text stands in double quotes");
  assert.equal(reason('["a'), "this text has no closing quote");
  assert.equal(reason("[1"), "the list is not closed: ] is missing");
  assert.equal(reason("1 2"), "nothing may follow the value");
});

test("does not overflow on a deep nest", () => {
  assert.equal(findJsonFault("[".repeat(100_000))?.reason, "nested more than 200 deep");
});
