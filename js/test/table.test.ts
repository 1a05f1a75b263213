import assert from "node:assert/strict";
import { test } from "node:test";
import { Column, decimalsOf, read, sortable, tabbed, textOf } from "../src/table/cells";
import { Grid, sorted, turned, type Wire } from "../src/table/grid";

const wire = (id: number, seq: number, ...cells: any[]): Wire => [id, seq, seq * 1000, "lab:x", ...cells] as Wire;
const ids = (rows: { id: number }[]): number[] => rows.map(({ id }) => id);

test("the newest row comes first, or a key keeps its place", () => {
  const log = new Grid(10, false);
  log.take([wire(1, 1), wire(2, 2), wire(3, 3)]);
  assert.deepEqual(ids(log.shown("", null)), [3, 2, 1]);
  const keyed = new Grid(10, true);
  keyed.take([wire(1, 1, "a"), wire(2, 2, "b")]);
  keyed.take([wire(1, 3, "c")]);
  assert.deepEqual(keyed.shown("", null).map(({ id, cells }) => [id, ...cells]), [[1, "c"], [2, "b"]]);
});

test("a row that comes twice or late changes nothing", () => {
  const grid = new Grid(10, true);
  assert.ok(grid.take([wire(1, 5, "new")]));
  assert.ok(!grid.take([wire(1, 4, "old"), wire(1, 5, "new")]));
  assert.deepEqual(grid.shown("", null)[0]!.cells, ["new"]);
});

test("what changed longest ago goes first", () => {
  const grid = new Grid(2, true);
  grid.take([wire(1, 1), wire(2, 2), wire(1, 3), wire(3, 4)]);
  assert.deepEqual(ids(grid.shown("", null)), [1, 3]);
});

test("a snapshot says what is gone, but not of what came after it", () => {
  const grid = new Grid(10, true);
  grid.take([wire(1, 1), wire(2, 2), wire(3, 9)]);
  grid.take([wire(2, 4)], true);
  assert.deepEqual(ids(grid.shown("", null)), [2, 3]);
  grid.take([], true);
  assert.deepEqual(ids(grid.shown("", null)), []);
});

test("what a paused view shows stays as it is", () => {
  const grid = new Grid(10, true);
  grid.take([wire(1, 1, "a")]);
  const held = grid.copy();
  grid.take([wire(1, 2, "b")]);
  assert.deepEqual(held.shown("", null)[0]!.cells, ["a"]);
});

test("a filter finds words in any cell and any case", () => {
  const grid = new Grid(10, false);
  grid.take([wire(1, 1, 21.5, "Pump"), wire(2, 2, true, ['{"x":1}']), wire(3, 3, null)]);
  assert.deepEqual(ids(grid.shown("pump", null)), [1]);
  assert.deepEqual(ids(grid.shown('"X"', null)), [2]);
  assert.deepEqual(ids(grid.shown("21.5", null)), [1]);
  assert.deepEqual(ids(grid.shown("lab:", null)), [3, 2, 1]);
});

test("sorts numbers before texts and leaves holes last in both directions", () => {
  const grid = new Grid(10, true);
  grid.take([wire(1, 1, 10), wire(2, 2, null), wire(3, 3, 9), wire(4, 4, "b10"), wire(5, 5, "b9"), wire(6, 6, ["12345678901234567890"])]);
  const rows = grid.shown("", null);
  assert.deepEqual(ids(sorted(rows, { by: 0, direction: "ascending" })), [3, 1, 6, 5, 4, 2]);
  assert.deepEqual(ids(sorted(rows, { by: 0, direction: "descending" })), [4, 5, 6, 1, 3, 2]);
  assert.deepEqual(ids(sorted(rows, { by: "time", direction: "descending" })), [6, 5, 4, 3, 2, 1]);
});

test("a head that is pressed goes up, down and back", () => {
  const up = turned(null, 1);
  assert.deepEqual(up, { by: 1, direction: "ascending" });
  assert.deepEqual(turned(up, 1), { by: 1, direction: "descending" });
  assert.equal(turned(turned(up, 1), 1), null);
  assert.deepEqual(turned(up, "time"), { by: "time", direction: "ascending" });
});

test("a column of numbers has equal decimals, four digits of its largest, and keeps them", () => {
  const column = new Column("v");
  for (const value of [21.5, 3, 12.25, -7.123456]) column.see(value);
  assert.equal(column.decimals, 2);
  assert.deepEqual([21.5, 3, -7.123456].map((value) => column.text(value)), ["21.50", "3.00", "−7.12"]);
  assert.equal(column.text(0.0001), "0.0001");
  assert.equal(column.text(1e20), "1e20");
  assert.equal(column.text(0), "0.00");
  assert.ok(column.numeric);
  const whole = new Column("n");
  whole.see(12345678);
  assert.equal(whole.text(12345678), "12345678");
});

test("decimals are those that a value needs", () => {
  assert.deepEqual([decimalsOf(1.5, 1.5), decimalsOf(0.1 + 0.2, 0.3), decimalsOf(12345.678, 12345.678), decimalsOf(3, 3)], [1, 1, 1, 0]);
});

test("texts stay on one line and holes are empty", () => {
  const column = new Column("s");
  assert.deepEqual(["a\nb", null, undefined, true, ["[1,2]"] as [string]].map((cell) => column.text(cell)), ["a↵b", "", "", "true", "[1,2]"]);
  assert.deepEqual([textOf(["null"]), sortable(["null"]), sortable(false)], ["null", null, 0]);
  assert.ok(!column.see(null));
  assert.ok(column.see("a very long name"));
  assert.ok(!column.numeric);
});

test("times are read in the zone that was asked for", () => {
  assert.deepEqual(read(1_700_000_000.25, "Europe/Berlin"), ["2023-11-14", "23:13:20.250"]);
  assert.deepEqual(read(1_700_000_000.9996, "UTC"), ["2023-11-14", "22:13:21.000"]);
});

test("a copied row is cells apart by tabs", () => {
  assert.equal(tabbed([["a\tb", "1"], ["c\nd", ""]]), "a b\t1\nc d\t");
});
