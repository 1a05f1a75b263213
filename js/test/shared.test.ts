import assert from "node:assert/strict";
import { test } from "node:test";
import { capital } from "../src/panels/dom";
import { clock, count, day, duration, number, quantity, scaleFor, tick } from "../src/shared/format";
import { Pace } from "../src/shared/pace";

test("numbers have four significant digits and a true minus sign", () => {
  const cases: [number | null, string][] = [
    [21.5, "21.5"], [0, "0"], [-0.00412749, "−0.004127"], [123456, "123456"], [1 / 3, "0.3333"],
    [1e9, "1e9"], [-2.5e-7, "−2.5e−7"], [null, "—"], [NaN, "—"], [Infinity, "—"],
  ];
  for (const [value, text] of cases) assert.equal(number(value), text);
});

test("a unit takes a prefix only if it can", () => {
  assert.equal(quantity(1_466_000, "B/s"), "1.466 MB/s");
  assert.equal(quantity(0.0021, "V"), "2.1 mV");
  assert.equal(quantity(1234, "°C"), "1234 °C");
  assert.equal(quantity(43.21, "%"), "43.21 %");
  assert.equal(quantity(21.5), "21.5");
  assert.equal(quantity(null, "V"), "—");
});

test("a scale does not fall below its thousand by rounding", () => {
  assert.equal(scaleFor(999.9, "V").prefix, "k");
  assert.equal(scaleFor(990, "V").prefix, "");
  assert.equal(scaleFor(0, "V").unit, "V");
});

test("ticks have the digits of their step", () => {
  assert.equal(tick(0.5, 0.25), "0.5");
  assert.equal(tick(1, 0.05), "1.00");
  assert.equal(tick(-20, 10), "−20");
  assert.equal(tick(-1e-12, 0.1), "0.0");
});

test("durations, clocks and counts read as people say them", () => {
  assert.deepEqual([0.4, 12, 119, 150, 7300, 9000, 200_000].map(duration), ["0 s", "12 s", "119 s", "2 min", "2 h 1 min", "2 h 30 min", "2 d"]);
  const noon = new Date(2026, 10, 22, 12, 5, 9).getTime() / 1000;
  assert.equal(clock(noon), "12:05:09");
  assert.equal(clock(noon, false), "12:05");
  assert.equal(day(noon), "2026-11-22");
  assert.equal(count(1234567), "1\u2009234\u2009567");
});

test("a page that draws cheaply gets sixty frames a second, one that does not what it can afford", () => {
  const pace = new Pace();
  assert.equal(pace.rate(0), 60);
  assert.equal(pace.rate(3), 60);
  assert.equal(pace.rate(60), 10);
  assert.equal(pace.rate(5000), 2);
});

test("a growing delay halves the rate until it is gone, whatever the clocks say", () => {
  const pace = new Pace();
  const skew = -7200_000;
  pace.arrived(0, skew);
  assert.equal(pace.rate(1), 60);
  pace.arrived(1000, 1000 + skew + 400);
  assert.equal(pace.rate(1), 30);
  pace.arrived(2000, 2000 + skew + 900);
  assert.equal(pace.rate(1), 15);
  let rate = 15;
  for (let i = 3; rate < 60 && i < 20; i++) {
    pace.arrived(1000 * i, 1000 * i + skew + 5);
    const next = pace.rate(1);
    assert.ok(next > rate);
    rate = next;
  }
  assert.equal(rate, 60);
});

test("a sentence begins in upper case, but for a topic's name", () => {
  assert.equal(capital("reconnecting, attempt 3"), "Reconnecting, attempt 3");
  assert.equal(capital("quiet has heard nothing for 9 s", ["lab:temp", "quiet"]), "quiet has heard nothing for 9 s");
  assert.equal(capital("quiet: reconnecting", ["quiet"]), "quiet: reconnecting");
  assert.equal(capital("quietly gone", ["quiet"]), "Quietly gone");
  assert.equal(capital(""), "");
});
