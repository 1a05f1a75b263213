import assert from "node:assert/strict";
import { test } from "node:test";
import { fit, fitLog, Range } from "../src/plot/range";
import { even, part, valueAt } from "../src/plot/scale";
import { logTicks, timeTicks, valueTicks } from "../src/plot/ticks";
import { clock, day, offset, zone } from "../src/shared/format";

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
