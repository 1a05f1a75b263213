import assert from "node:assert/strict";
import { test } from "node:test";
import { between, bytes, lay, lines, matches, merge, oneLine, pretty, ROW, row, stamp, type Row } from "../src/panels/rows";
import { patience } from "../src/panels/stream";

const at = (id: number, time = id, text = "x"): Row => row([id, time * 1000, 1, text, 0]);
const ids = (rows: Row[]): number[] => rows.map(({ id }) => id);

test("keeps each row once, in order, and the newest", () => {
  assert.deepEqual(ids(merge([], [at(1), at(2)], 10)), [1, 2]);
  assert.deepEqual(ids(merge([at(1), at(2)], [at(3)], 2)), [2, 3]);
  assert.deepEqual(ids(merge([at(1), at(2), at(5)], [at(2), at(3), at(5), at(6)], 10)), [1, 2, 3, 5, 6]);
  assert.deepEqual(ids(merge([at(4)], [at(1), at(2)], 10)), [1, 2, 4]);
});

test("a row that is known stays the same object, with what was fetched for it", () => {
  const first = at(1);
  first.full = "all";
  assert.equal(merge([first], [at(1)], 10)[0], first);
});

test("filters by plain text in any case", () => {
  assert.ok(matches(at(1, 1, "Pump FAILED (3)"), "failed (3)"));
  assert.ok(!matches(at(1, 1, "ok"), ".*"));
  assert.ok(matches(at(1), ""));
});

test("shows a payload on one line", () => {
  assert.equal(oneLine("a\r\nb\tc\u0007"), "a↵b⇥c␣");
  assert.equal(oneLine("<b>x</b>"), "<b>x</b>");
});

test("lays JSON out by its characters", () => {
  assert.equal(pretty('{"a":[1,{}],"b":"x, {y}: \\"z\\""}'), '{\n  "a": [\n    1,\n    {}\n  ],\n  "b": "x, {y}: \\"z\\""\n}');
  assert.equal(pretty("[]"), "[]");
  assert.equal(pretty('{"a":"["}'), '{\n  "a": "["\n}');
  assert.equal(pretty("[12345678901234567890]"), "[\n  12345678901234567890\n]");
  assert.equal(pretty("null"), "null");
});

test("lays out JSON that breaks off as far as it goes", () => {
  assert.equal(pretty('{"a":[1,"tw'), '{\n  "a": [\n    1,\n    "tw');
  assert.equal(pretty('["x\\'), '[\n  "x\\');
});

test("names times to the millisecond", () => {
  assert.match(stamp(1.0005), /^\d\d:\d\d:01\.001$/);
  assert.match(stamp(59.9999), /^\d\d:\d\d:00\.000$/);
});

test("names sizes", () => {
  assert.deepEqual([12, 2000, 64_000, 1_234_000].map(bytes), ["12 B", "2 kB", "64 kB", "1.2 MB"]);
});

test("lists newest first with the date where it changes", () => {
  const { items, height } = lay([at(1, 0), at(2, 5 * 86_400), at(3, 5 * 86_400)], (one) => (one.id === 3 ? 40 : 0));
  assert.deepEqual(
    items.map((item) => item.row?.id ?? item.date.slice(0, 4)),
    ["1970", 3, 2, "1970", 1],
  );
  assert.deepEqual(items.map(({ top }) => top), [0, ROW, 2 * ROW + 40, 3 * ROW + 40, 4 * ROW + 40]);
  assert.equal(height, 5 * ROW + 40);
  assert.deepEqual(between(items, 2 * ROW + 45, 3 * ROW + 41).map(({ row: one }) => one?.id), [2, undefined]);
  assert.deepEqual(between(items, 1e6, 2e6), []);
});

test("counts the lines that a text takes", () => {
  assert.equal(lines("a\n\nb", 10, 12), 3);
  assert.equal(lines("x".repeat(25), 10, 12), 3);
  assert.equal(lines("x\n".repeat(99), 10, 12), 12);
});

test("waits five usual pauses, and at least five seconds", () => {
  assert.equal(patience([1]), 5);
  assert.equal(patience([0, 60, 120]), 300);
});
