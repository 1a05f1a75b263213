import assert from "node:assert/strict";
import { test } from "node:test";
import { extremes, sunken } from "../src/plot/draw";
import { runs, type Scene } from "../src/plot/scene";
import { levelOf } from "../src/plot/levels";
import { Rows, shorten, under } from "../src/plot/marks";
import { crowd, paints, styled } from "../src/plot/palette";
import { fit, fitLog, Range } from "../src/plot/range";
import { even, part, valueAt } from "../src/plot/scale";
import { Store } from "../src/plot/store";
import { Near, tags, type Line } from "../src/plot/thresholds";
import { logTicks, timeTicks, valueTicks } from "../src/plot/ticks";
import { clock, day, offset, quantity, zone } from "../src/shared/format";

const T = Date.UTC(2026, 10, 22, 14, 2, 5) / 1000;

test("a zone's wall clock is told, its summers, quarters of an hour and dates included", () => {
  assert.equal(clock(T, true, "UTC"), "14:02:05");
  assert.equal(clock(T, true, "Europe/Berlin"), "15:02:05");
  assert.equal(clock(T - 150 * 86400, false, "Europe/Berlin"), "16:02");
  assert.equal(clock(T, true, "Asia/Kathmandu"), "19:47:05");
  assert.equal(day(T + 36000, "UTC"), "2026-11-23");
  assert.equal(day(T + 36000, "America/Los_Angeles"), "2026-11-22");
  assert.equal(offset(T, "America/St_Johns"), -3.5 * 3600);
});

test("a zone is called by its name, and one that the browser does not know is UTC and says so", () => {
  assert.equal(zone(T, "America/New_York"), "America/New York");
  assert.equal(zone(T, "UTC"), "UTC");
  assert.equal(zone(T, "Mars/Olympus"), "UTC");
  assert.equal(clock(T, true, "Mars/Olympus"), "14:02:05");
  assert.notEqual(zone(T), "");
});

test("time ticks stand at the zone's round hours and its midnight has the date", () => {
  const half = timeTicks(T, T + 6 * 3600, 900, 27, "Asia/Kolkata");
  assert.ok(half.labels.every((label) => /:00:00/.test(label) || label === ""), half.labels.join());
  const midnight = Date.UTC(2026, 10, 22, 23, 0, 0) / 1000;
  const { at, labels } = timeTicks(midnight - 30, midnight + 29, 900, 27, "Europe/Berlin");
  assert.equal(labels[at.indexOf(midnight)], "00:00:00\n2026-11-23");
  assert.equal(labels.filter((label) => label.includes("\n")).length, 2);
});

test("days stay days where the clocks went back", () => {
  const before = Date.UTC(2026, 9, 23, 12) / 1000;
  const { at, labels } = timeTicks(before, before + 5 * 86400, 900, 27, "Europe/Berlin");
  assert.equal(new Set(labels).size, labels.length);
  for (const time of at) assert.equal(clock(time, true, "Europe/Berlin"), "00:00:00");
});

test("there are never more than six time ticks, wherever the window stands", () => {
  for (const window of [1, 6, 12, 30, 60, 120, 360, 3600, 21600, 6 * 86400]) {
    for (let i = 0; i < 200; i++) {
      const from = Math.floor(T / window) * window + (i * window) / 50;
      assert.ok(timeTicks(from, from + window, 1400, 12, "UTC").at.length <= 6, `${window}`);
    }
  }
});

test("every date and every second is HH:MM:SS", () => {
  for (const label of timeTicks(T, T + 60, 900, 27, "UTC").labels) assert.match(label, /^(\d\d:\d\d:\d\d(\n\d{4}-\d\d-\d\d)?)?$/);
});

test("on a log scale equal ratios are equal lengths, and zero and below are nowhere", () => {
  assert.equal(part(10, [1, 100], true), 0.5);
  assert.equal(part(5, [0, 10], false), 0.5);
  assert.ok(Math.abs(valueAt(0.5, [1, 100], true) - 10) < 1e-9);
  assert.equal(even(0, true), -Infinity);
  assert.equal(even(-3, true), -Infinity);
  assert.equal(even(-3, false), -3);
});

test("a log range is round, has 8 % of its length to spare, and no zero", () => {
  assert.deepEqual(fitLog(1.5, 900), [0.5, 2000]);
  const [low, high] = fitLog(0.001, 1e6);
  assert.ok(low > 0 && low <= 0.0005 && high >= 2e6);
  assert.deepEqual(fitLog(100, 100), fit(100, 100));
  assert.deepEqual(fitLog(20, 24), fit(20, 24));
  assert.ok(fitLog(1, 2.99)[0] > 0);
});

test("a log range grows at once and shrinks only after 2 s of little use", () => {
  const range = new Range("", false, true);
  assert.deepEqual(range.at(1.5, 900, 0), [0.5, 2000]);
  const wide = range.at(1.5, 90_000, 16);
  assert.deepEqual(wide, [0.5, 500_000]);
  assert.deepEqual(range.at(10, 100, 1000), wide);
  range.at(10, 100, 3000);
  const half = range.at(10, 100, 3100);
  assert.ok(half[1] < wide[1] && half[1] > 200 && range.easing, `${half}`);
  assert.deepEqual(range.at(10, 100, 3300), [5, 200]);
  assert.deepEqual(new Range("%", false, true).at(null, null, 0), [1, 10]);
});

test("log ticks are round numbers of one prefix that never crowd", () => {
  assert.deepEqual(logTicks(1, 1000, 200, "").labels, ["1", "3", "10", "30", "100", "300", "1000"]);
  assert.deepEqual(logTicks(1, 100, 200, "").labels, ["1", "2", "5", "10", "20", "50", "100"]);
  assert.deepEqual(logTicks(1e-3, 1e3, 100, "").labels, ["0.01", "1", "100"]);
  const rates = logTicks(1e4, 1e8, 200, "B/s");
  assert.deepEqual(rates.labels, ["0.01", "0.1", "1", "10", "100"]);
  assert.equal(rates.caption, "MB/s, log");
  assert.equal(logTicks(1, 100, 200, "").caption, "log");
  for (const height of [60, 100, 200, 400]) {
    for (const decades of [0.2, 0.6, 1, 2, 5, 12, 40]) {
      const { at } = logTicks(1e-4, 1e-4 * 10 ** decades, height, "V");
      const places = at.map((value) => part(value, [1e-4, 1e-4 * 10 ** decades], true) * height);
      assert.ok(at.length >= 1, `${height} ${decades}`);
      if (decades >= 0.5) places.forEach((place, i) => assert.ok(i === 0 || place - places[i - 1]! >= 23, `${height} ${decades}`));
    }
  }
});

test("too many decades for a prefix are powers of ten", () => {
  const { labels, caption } = logTicks(1e-9, 1e9, 300, "Hz");
  assert.ok(labels.includes("10⁻³") && labels.includes("10⁶"), labels.join());
  assert.equal(caption, "Hz, log");
});

test("within a third of a decade a log axis has the ticks of a linear one", () => {
  assert.deepEqual(logTicks(20, 25, 160, "V").labels, valueTicks(20, 25, 160, "V").labels);
});

const scene = (more: Partial<Scene> = {}): Scene => ({
  ctx: null as never, left: 0, top: 0, width: 600, height: 200, ratio: 1, t0: T, perSecond: 10, log: false, low: 0, perValue: 2, ...more,
});
const measure = (text: string): number => 6 * text.length;
const line = (value: number, more: Partial<Line> = {}): Line => ({ value, label: "", ...more });

test("bytes have no parts", () => {
  assert.equal(quantity(0.159, "B/s"), "0.159 B/s");
  assert.equal(quantity(0.159, "V"), "159 mV");
});

test("a range takes in the thresholds that are no farther from the data than the data extend", () => {
  const near = new Near();
  assert.deepEqual(near.reach(20, 24, [line(27), line(80), line(17)], false), [17, 27]);
  assert.deepEqual(near.reach(20, 24, [line(80, { include: true }), line(25, { include: false })], false), [20, 80]);
  assert.deepEqual(new Near().reach(20, 24, [{ from: 23, to: 90, label: "" }], false), [20, 24]);
  assert.deepEqual(near.reach(null, null, [line(1)], false), [null, null]);
  assert.deepEqual(new Near().reach(1, 100, [line(5000), line(0), line(-3, { include: true })], true), [1, 5000]);
});

test("a threshold between near and far stays what it was", () => {
  const near = new Near();
  assert.deepEqual(near.reach(20, 24, [line(30)], false), [20, 24]);
  assert.deepEqual(near.reach(20, 26, [line(30)], false), [20, 30]);
  assert.deepEqual(near.reach(20, 24, [line(30)], false), [20, 30]);
  assert.deepEqual(near.reach(20, 22.5, [line(30)], false), [20, 22.5]);
});

test("what is out of the picture is named at the edge, with where it is", () => {
  const found = tags(scene(), [line(500, { label: "too hot" }), line(-50)], "°C", measure);
  assert.deepEqual(found.map((tag) => tag.text), ["too hot 500 °C ↑", "−50 °C ↓"]);
  assert.ok(found[0]!.top + found[0]!.height <= 0 && found[1]!.top > 180);
  const several = tags(scene(), Array.from({ length: 9 }, (_, i) => line(500 + i)), "", measure);
  assert.ok(several.length > 2 && several.every(({ left }) => left >= 60));
  several.forEach((tag, i) => assert.ok(i === 0 || tag.left + tag.width <= several[i - 1]!.left));
  assert.deepEqual(tags(scene(), [{ from: 20, to: 40, label: "comfort" }], "", measure).map((tag) => tag.text), ["comfort"]);
});

test("no label of a threshold covers another, and all stay inside", () => {
  for (const values of [[50, 51, 52, 53], [0, 0.5, 1], [99, 100, 100], [-200, -300, -400]]) {
    const found = tags(scene(), values.map((value) => line(value)), "", measure);
    assert.equal(found.length, values.length);
    found.forEach((tag, i) => {
      assert.ok(tag.top >= 0 && tag.top + tag.height <= 200 && tag.left >= 0, JSON.stringify(tag));
      if (i) assert.ok(tag.top >= found[i - 1]!.top + found[i - 1]!.height);
    });
  }
  assert.ok(tags(scene({ height: 40 }), Array.from({ length: 50 }, (_, i) => line(i / 5)), "", measure).length <= 2);
});

test("flags stand in rows without covering each other or what is taken, and the rest are marks", () => {
  const marks = Array.from({ length: 8 }, (_, i) => ({ t: T + 10 + i, text: `event ${i}` }));
  const taken = [{ left: 100, top: 0, width: 500, height: 10 }];
  const flags = new Rows().place(scene(), marks, taken, measure);
  const boxes = [...taken, ...flags.flatMap(({ box }) => box ?? [])];
  boxes.forEach((a, i) =>
    boxes.slice(i + 1).forEach((b) =>
      assert.ok(a.left >= b.left + b.width || b.left >= a.left + a.width || a.top >= b.top + b.height || b.top >= a.top + a.height),
    ),
  );
  assert.equal(flags.length, 8);
  assert.ok(flags.some(({ box }) => box === null) && boxes.length > 2);
});

test("a flag keeps its row while it scrolls, whoever comes and goes", () => {
  const rows = new Rows();
  const marks = [0, 3, 5, 20, 50, 51].map((at) => ({ t: T + at, text: `number ${at}` }));
  const seen = new Map<string, Set<number>>();
  for (let i = 0; i < 400; i++) {
    const shown = marks.filter((mark) => mark.t <= T + i / 5);
    for (const { mark, box } of rows.place(scene({ t0: T + i / 5 - 60 }), shown, [], measure)) {
      if (box) seen.set(mark.text, (seen.get(mark.text) ?? new Set()).add(box.top));
    }
  }
  assert.equal(seen.size, 6);
  for (const [text, tops] of seen) assert.equal(tops.size, 1, text);
});

test("what has just happened is held inside the right edge and can be read at once", () => {
  const [flag] = new Rows().place(scene(), [{ t: T + 59.9, text: "just now" }], [], measure);
  assert.ok(flag!.box !== null && flag!.box.left + flag!.box.width <= 600);
  assert.equal(flag!.text, "just now");
});

test("a text is cut to its first line and its room", () => {
  assert.equal(shorten("door opened", 100, measure), "door opened");
  assert.equal(shorten("heater on\nsecond line", 100, measure), "heater on…");
  assert.equal(shorten("a text that is rather long", 60, measure), "a text th…");
});

test("what is under the pointer is the flag, or every line close to it", () => {
  const marks = [{ t: T + 10, text: "one" }, { t: T + 10.2, text: "two" }, { t: T + 40, text: "far" }];
  const flags = new Rows().place(scene(), marks, [], measure);
  const { box } = flags[2]!;
  assert.deepEqual(under(flags, box!.left + 3, box!.top + 3, 1).map((flag) => flag.mark.text), ["far"]);
  assert.deepEqual(under(flags, 101, 150, 1).map((flag) => flag.mark.text), ["one", "two"]);
  assert.deepEqual(under(flags, 250, 150, 1), []);
});

test("eight lines have eight colours, more have one hue, or those that were given in three dashes", () => {
  assert.deepEqual(paints(8, [])!.map(styled), Array.from({ length: 8 }, (_, i) => `var(--nbrt-series-${i + 1})`));
  assert.equal(paints(9, []), null);
  assert.equal(paints(64, ["red"]), null);
  assert.equal(styled(crowd(["red"])), "red");
  assert.deepEqual(paints(3, ["teal"])!.map(styled), ["teal", "var(--nbrt-series-2)", "var(--nbrt-series-3)"]);
  const many = paints(12, ["a", "b", "c", "d"])!;
  assert.deepEqual(many.map((one) => `${one.given}${one.dash.join("-")}`).slice(3, 9), ["d", "a6-3", "b6-3", "c6-3", "d6-3", "a2-3"]);
});

test("a level has a colour and a symbol, by whatever word it is called", () => {
  assert.deepEqual(["good", "warning", "critical", "info", undefined, "?"].map(levelOf), ["good", "warn", "bad", "info", "info", "info"]);
});

test("on a log scale what is 0 or below breaks the line, and is told apart from what is not there", () => {
  const store = new Store();
  const view = new DataView(new ArrayBuffer(40));
  [0, 1, 2, 3, 4, 5, 0, 7, -1, 9].forEach((value, i) => view.setFloat32(4 * i, value, true));
  store.take({ series: 0, mode: "points", reset: true, n: 5, t0: T, v0: 0, scale: 1, interval: 1, last: 9, first: T }, view, 0, 60);
  const found: number[][] = [];
  runs(store, (from, to) => found.push([from, to]), true);
  assert.deepEqual(found, [[0, 1], [2, 3], [4, 5]]);
  assert.deepEqual(extremes([store], T, true), [5, 9]);
  assert.deepEqual(extremes([store], T), [-1, 9]);
  assert.ok(sunken([store], T) && !sunken([store], T + 3.5));
});

test("a range shrinks below 55 % of use and not above, however long that lasts", () => {
  for (const [high, shrinks] of [[5.6, false], [5.3, true]] as const) {
    const range = new Range();
    range.at(0, 9, 0);
    let bounds = range.at(0, high, 100);
    for (let now = 200; now < 10_000; now += 100) bounds = range.at(0, high, now);
    assert.equal(bounds[1] < 10, shrinks, `${high}`);
  }
});

test("zero is taken in when the least value is under a quarter of the greatest", () => {
  assert.equal(fit(2.4, 10)[0], 0);
  assert.ok(fit(2.6, 10)[0] > 0);
  assert.equal(fit(-10, -2.4)[1], 0);
});

test("who wants no motion gets no easing", () => {
  const range = new Range("", true);
  range.at(0, 100, 0);
  range.at(0, 10, 100);
  assert.deepEqual(range.at(0, 10, 2200), fit(0, 10));
  assert.ok(!range.easing);
});

test("an axis of percent has its hundred, and more only when the data have", () => {
  const range = new Range("%");
  assert.deepEqual(range.at(null, null, 0), [0, 100]);
  assert.deepEqual(range.at(99, 99.5, 16), [0, 100]);
  assert.ok(range.at(99, 130, 32)[1] > 130);
});

test("a band breaks where more than five intervals are missing, too", () => {
  const store = new Store();
  const view = new DataView(new ArrayBuffer(16 * 4));
  [0, 1, 2, 9].forEach((offset, i) => view.setUint32(4 * i, offset, true));
  for (let i = 4; i < 16; i++) view.setFloat32(4 * i, 1, true);
  store.take({ series: 0, mode: "band", reset: true, n: 4, bin: 1, k0: T, dense: false, v0: 0, scale: 1, interval: 0.5, last: 1, first: T }, view, 0, 60);
  const found: number[][] = [];
  runs(store, (from, to) => found.push([from, to]));
  assert.deepEqual(found, [[0, 3], [3, 4]]);
});

test("labels of an axis have equal decimals and one prefix, whatever the range", () => {
  for (const [low, high] of [[0, 1], [-3e-7, 8e-7], [101_320, 101_330], [-2e9, 5e9], [0.1, 0.100004]] as const) {
    const { labels, caption } = valueTicks(low, high, 200, "V");
    const decimals = labels.map((label) => label.split(".")[1]?.length ?? 0);
    assert.equal(new Set(decimals).size, 1, labels.join());
    assert.equal(new Set(labels).size, labels.length, labels.join());
    assert.match(caption, /^[nµmkMGT]?V$/);
    assert.ok(!labels.join("").includes("-"));
  }
});
