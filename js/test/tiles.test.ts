import assert from "node:assert/strict";
import { test } from "node:test";
import { Bins, BOX, rules, spark, type Bin } from "../src/tiles/spark";
import { between, room, Steady } from "../src/tiles/steady";
import { position, ticks, zones, type Threshold } from "../src/tiles/zones";

const line = (value: number, level: Threshold["level"] = "warn", label = ""): Threshold => ({ value, level, label });
const band = (from: number, to: number, level: Threshold["level"] = "good", label = ""): Threshold => ({ from, to, level, label });

test("a number keeps the decimals that its last values needed", () => {
  const steady = new Steady("°C");
  assert.deepEqual(["20.13", "20.50", "21.00"], [20.13, 20.5, 21].map((value) => steady.tell(value).text));
  assert.equal(new Steady("").tell(42).text, "42");
  assert.equal(new Steady("", 6).tell(-0.123456).text, "−0.123456");
  assert.equal(new Steady("").tell(null).text, "—");
  assert.equal(new Steady("").tell(1.5e9).text, "1.5");
  assert.equal(steady.tell(-0.0001).text, "−0.0001");
});

test("and no more digits than were asked for", () => {
  const steady = new Steady("%");
  steady.tell(9.987);
  assert.equal(steady.tell(10.02).text, "10.02");
  assert.equal(steady.tell(100).text, "100.0");
  assert.deepEqual([room(0, 4), room(1, 4), room(999, 4), room(12345, 4)], [3, 3, 1, 0]);
});

test("needed decimals are forgotten when they were not needed for long", () => {
  const steady = new Steady("");
  steady.tell(1.25);
  for (let i = 0; i < 30; i++) steady.tell(2);
  assert.equal(steady.tell(3).text, "3");
});

test("a prefix grows at once and shrinks only well below its one", () => {
  const steady = new Steady("B/s");
  const told = [990, 1010, 990, 880, 990].map((value) => steady.tell(value)).map(({ text, unit }) => `${text} ${unit}`);
  assert.deepEqual(told, ["990 B/s", "1.01 kB/s", "0.99 kB/s", "880 B/s", "990 B/s"]);
  assert.equal(steady.tell(0).unit, "B/s");
});

test("beside a scale a number has the scale's prefix and decimals", () => {
  const steady = new Steady("%", 4, 100);
  assert.deepEqual([43.215, 0.5321, 100].map((value) => steady.tell(value).text), ["43.2", "0.5", "100.0"]);
  assert.deepEqual(new Steady("B", 4, 8e9).tell(250e6), { text: "0.25", unit: "GB" });
});

test("least and greatest share unit and decimals", () => {
  assert.equal(between(17.394, 25, "°C", 4), "17.39 – 25.00 °C");
  assert.equal(between(400_200, 1.4e6, "B/s", 4), "0.400 – 1.400 MB/s");
  assert.equal(between(-1, 5, "", 4), "−1 – 5");
});

test("zones do not overlap: the gravest is seen, of equals the last", () => {
  assert.deepEqual(zones([line(60), line(90, "bad", "full"), band(0, 60)], 0, 100), [
    { from: 0, to: 60, level: "good", label: "" },
    { from: 60, to: 90, level: "warn", label: "" },
    { from: 90, to: 100, level: "bad", label: "full" },
  ]);
  assert.deepEqual(zones([band(0, 10, "warn", "a"), band(5, 20, "warn", "b")], 0, 100).map(({ from, to, label }) => [from, to, label]), [
    [0, 5, "a"],
    [5, 20, "b"],
  ]);
  assert.deepEqual(zones([band(-50, 500, "info")], 0, 100), [{ from: 0, to: 100, level: "info", label: "" }]);
  assert.deepEqual(zones([line(100), band(-5, 0)], 0, 100), []);
  assert.deepEqual(zones([], 0, 1), []);
});

test("a zone that a graver one cuts in two is two", () => {
  const found = zones([band(0, 100), band(40, 60, "bad")], 0, 100);
  assert.deepEqual(found.map(({ from, to, level }) => [from, to, level]), [[0, 40, "good"], [40, 60, "bad"], [60, 100, "good"]]);
});

test("a scale has both ends and round values between them", () => {
  const texts = (from: number, to: number, unit = ""): string[] => ticks(from, to, 6, unit).ticks.map(({ text }) => text);
  assert.deepEqual(texts(0, 100, "%"), ["0", "20", "40", "60", "80", "100"]);
  assert.deepEqual(texts(-20, 50), ["−20", "0", "20", "50"]);
  assert.deepEqual(texts(0, 1), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
  assert.deepEqual(texts(12.5, 13.5).at(0), "12.5");
  assert.deepEqual(texts(-1e6, 1e6, "Hz"), ["−1.0", "−0.5", "0.0", "0.5", "1.0"]);
  assert.deepEqual(texts(0.25, 50).at(0), "0.25");
  assert.deepEqual([texts(0, 8e9, "B"), ticks(0, 8e9, 6, "B").unit], [["0", "2", "4", "6", "8"], "GB"]);
  assert.deepEqual(ticks(0, 100, 6, "").ticks.map(({ at }) => at), [0, 0.2, 0.4, 0.6, 0.8, 1]);
});

test("a value has a place on the scale, or a side beyond it", () => {
  assert.deepEqual(position(25, 0, 100), { at: 0.25, beyond: 0 });
  assert.deepEqual(position(-1, 0, 100), { at: 0, beyond: -1 });
  assert.deepEqual(position(1e9, 0, 100), { at: 1, beyond: 1 });
});

const bin = (at: number, low: number, high = low): Bin => ({ at, mean: (low + high) / 2, low, high });
const bytes = (rows: number[][]): DataView => new DataView(new Float32Array(rows.flat()).buffer);

test("a sparkline spans its window and its values", () => {
  const drawn = spark([bin(10, 0), bin(11, 4), bin(13, 2)], 4, 10, 2);
  assert.equal(drawn.line, "M650 94L750 6L950 50");
  assert.equal(drawn.area, "");
  assert.deepEqual([drawn.low, drawn.high, drawn.end], [0, 4, { x: 0.95, y: 0.5 }]);
});

test("a line breaks where nothing came for longer than usual; a single value is a dot", () => {
  const drawn = spark([bin(0, 1), bin(1, 1), bin(5, 1), bin(9, 1)], 0, 10, 2);
  assert.equal(drawn.line, "M50 50L150 50M550 50h0M950 50h0");
  assert.equal(spark([bin(0, 1), bin(5, 1)], 0, 10, 5).line, "M50 50L550 50");
});

test("the area is what a bin ranged over", () => {
  assert.equal(spark([bin(0, 0, 10), bin(1, 5)], 0, 2, 1).area, "M250 6L750 50L750 50L250 94Z");
  assert.equal(BOX.width, 1000);
});

test("thresholds are lines across a sparkline where it reaches, the gravest of those at one height", () => {
  const limits: Threshold[] = [
    { from: 0, to: 20, label: "", level: "good" },
    { value: 20, label: "", level: "bad" },
    { value: 10, label: "", level: "info", color: "teal" },
    { from: 20, to: 30, label: "", level: "warn" },
    { value: 99, label: "", level: "bad" },
    { value: -9, label: "", level: "info" },
  ];
  assert.deepEqual(rules({ low: 0, high: 20 }, limits), [
    { y: 94, level: "good", color: "" },
    { y: 6, level: "bad", color: "" },
    { y: 50, level: "info", color: "teal" },
  ]);
  // What stays at one value has no range: a line is at it, or nowhere.
  assert.deepEqual(rules({ low: 10, high: 10 }, limits), [{ y: 50, level: "info", color: "teal" }]);
  assert.deepEqual(rules({ low: 11, high: 11 }, limits), []);
});

test("bins that come again replace those that were, and old ones go", () => {
  const bins = new Bins();
  const head = { width: 1, window: 4 };
  bins.take({ ...head, first: 10, whole: true }, bytes([[1, 1, 1], [NaN, NaN, NaN], [3, 2, 4]]));
  assert.deepEqual(bins.all.map(({ at, mean }) => [at, mean]), [[10, 1], [12, 3]]);
  bins.take({ ...head, first: 12, whole: false }, bytes([[5, 5, 5], [6, 6, 6], [7, 7, 7]]));
  assert.deepEqual(bins.all.map(({ at, mean }) => [at, mean]), [[12, 5], [13, 6], [14, 7]]);
  bins.take({ ...head, first: 0, whole: true }, undefined);
  assert.equal(bins.draw(1), null);
});

test("a value that went up lately is rising", () => {
  const tendency = (values: number[]): string => {
    const bins = new Bins();
    bins.take({ first: 0, width: 1, window: values.length, whole: true }, bytes(values.map((value) => [value, value, value])));
    return bins.tendency;
  };
  assert.deepEqual(
    [[1, 2, 3, 4, 5, 6, 7, 8], [8, 7, 6, 5, 4, 3, 2, 1], [5, 5, 5, 5, 5, 5], [1], []].map(tendency),
    ["rising", "falling", "steady", "", ""],
  );
});
