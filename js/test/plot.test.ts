import assert from "node:assert/strict";
import { test } from "node:test";
import { Follow } from "../src/plot/follow";
import { fit, fitLog, Range } from "../src/plot/range";
import { statusOf, trend, type Facts } from "../src/plot/status";
import { bytesOf, Store, type Entry } from "../src/plot/store";
import { short } from "../src/plot/short";
import { drawLones, lones } from "../src/plot/lone";
import { runs, type Scene } from "../src/plot/scene";
import { roundStep, timeTicks, valueTicks } from "../src/plot/ticks";

const T = 1_790_000_000;

function points(times: number[], values: number[], more: Partial<Entry> = {}): [Entry, DataView] {
  const view = new DataView(new ArrayBuffer(8 * times.length));
  times.forEach((time, i) => view.setFloat32(4 * i, time - times[0]!, true));
  values.forEach((value, i) => view.setFloat32(4 * (times.length + i), value, true));
  const entry: Entry = {
    series: 0, mode: "points", reset: false, n: times.length, t0: times[0]!, v0: 0, scale: 1, interval: 1, last: values.at(-1) ?? null, first: times[0]!, ...more,
  };
  return [entry, view];
}

function band(k0: number, low: number[], high: number[], offsets?: number[]): [Entry, DataView] {
  const n = low.length;
  const view = new DataView(new ArrayBuffer(16 * n));
  let at = 0;
  offsets?.forEach((offset) => view.setUint32((at += 4) - 4, offset, true));
  for (const column of [low, high, low.map((one, i) => (one + high[i]!) / 2)]) {
    for (const value of column) view.setFloat32((at += 4) - 4, value, true);
  }
  const entry: Entry = {
    series: 0, mode: "band", reset: false, n, bin: 0.1, k0, dense: offsets === undefined, v0: 0, scale: 1, interval: 0.01, last: 1, first: k0 / 10 + 0.02,
  };
  return [entry, view];
}

const times = (store: Store): number[] => [...store.time.slice(store.start, store.end)].map((t) => Math.round((t - T) * 100) / 100);
const values = (store: Store): number[] => [...store.value.slice(store.start, store.end)];

test("a store appends what is new and replaces from the first repeated sample on", () => {
  const store = new Store();
  store.take(...points([T, T + 1, T + 2], [1, 2, 3]), 0, 60);
  store.take(...points([T + 1.5, T + 2, T + 3], [9, 3, 4]), 0, 60);
  assert.deepEqual(times(store), [0, 1, 1.5, 2, 3]);
  assert.deepEqual(values(store), [1, 2, 9, 3, 4]);
});

test("a snapshot replaces everything", () => {
  const store = new Store();
  store.take(...points([T, T + 1], [1, 2]), 0, 60);
  store.take(...points([T + 5], [3], { reset: true }), 0, 60);
  assert.deepEqual(times(store), [5]);
});

test("a bin that comes again is corrected, and missing bins leave holes", () => {
  const store = new Store();
  store.take(...band(10 * T, [1, 1, 1], [2, 2, 2]), 0, 60);
  store.take(...band(10 * T + 2, [0, 5], [4, 6], [0, 3]), 0, 60);
  assert.deepEqual(times(store), [0.05, 0.15, 0.25, 0.55]);
  assert.deepEqual([...store.high.slice(store.start, store.end)], [2, 2, 4, 6]);
});

test("the oldest sample is told by its own time, not by its bin's middle", () => {
  const store = new Store();
  store.take(...band(10 * T, [1, 1, 1], [2, 2, 2]), 0, 60);
  assert.ok(Math.abs(store.oldest(T - 60)! - (T + 0.02)) < 1e-6);
  assert.ok(Math.abs(store.oldest(T + 0.1)! - (T + 0.15)) < 1e-6);
  assert.equal(store.oldest(T + 1), null);
});

test("an entry takes as many bytes as it says", () => {
  assert.equal(bytesOf(points([T, T + 1], [1, 2])[0]), 16);
  assert.equal(bytesOf(band(0, [1], [2])[0]), 12);
  assert.equal(bytesOf(band(0, [1, 1], [2, 2], [0, 5])[0]), 32);
});

test("an hour of frames keeps a window of memory", () => {
  const store = new Store();
  for (let i = 0; i < 36000; i++) {
    store.take(...points([T + i / 10], [i]), 0, 60);
    store.trim(T + i / 10 - 60);
  }
  assert.ok(store.time.length <= 2048, `${store.time.length}`);
  assert.ok(store.end - store.start <= 603);
  assert.equal(values(store).at(-1), 35999);
});

test("a copy stands still while the original goes on", () => {
  const store = new Store();
  store.take(...points([T], [1]), 0, 60);
  const still = store.copy();
  store.take(...points([T], [7]), 0, 60);
  assert.deepEqual(values(still), [1]);
});

test("NaN and a gap over five median intervals break the line", () => {
  const store = new Store();
  store.take(...points([T, T + 1, T + 2, T + 3, T + 9, T + 10], [1, 2, NaN, 4, 5, 6]), 0, 60);
  const found: [number, number][] = [];
  runs(store, (from, to) => found.push([from, to]));
  assert.deepEqual(found, [[0, 2], [3, 4], [4, 6]]);
});

// Ten pixels are a second, and one is a tenth of the value.
const scene: Scene = {
  ctx: null as unknown as CanvasRenderingContext2D, left: 0, top: 0, width: 600, height: 100, ratio: 1, t0: T, perSecond: 10, log: false, low: 0, perValue: 10,
};

test("a sample that nothing joins is marked, and smaller where its neighbours are near", () => {
  const store = new Store();
  store.take(...points([T, T + 1, T + 2, T + 3, T + 3.5, T + 10, T + 30], [1, 2, NaN, 4, NaN, 6, 7]), 0, 60);
  const found = lones(scene, store, T + 30);
  assert.deepEqual(found.map(({ x, top, bottom }) => [x, top, bottom].map(Math.round)), [[30, 60, 60], [100, 40, 40], [300, 30, 30]]);
  assert.deepEqual(found.map(({ radius }) => radius), [3, 3, 3]);
  assert.deepEqual(lones({ ...scene, perSecond: 3 }, store, T + 30).map(({ radius }) => radius), [2, 3, 3]);
});

test("values of the same moment are a bar with a point at each end, and whole at the edge", () => {
  const store = new Store();
  store.take(...band(10 * T + 599, [2], [5]), 0, 60);
  const arcs: number[][] = [];
  const rects: number[][] = [];
  let kept = 1;
  const ctx = {
    globalAlpha: 1, save() { kept = this.globalAlpha; }, restore() { this.globalAlpha = kept; },
    beginPath() {}, moveTo() {}, fill() {}, arc: (x: number, y: number, radius: number) => arcs.push([x, y, radius]), rect: (...box: number[]) => rects.push(box),
  } as unknown as CanvasRenderingContext2D;
  drawLones({ ...scene, ctx }, lones(scene, store, T + 60), "red", 0.45);
  assert.equal(ctx.globalAlpha, 1, "what is drawn next is no paler");
  assert.deepEqual(arcs.map((arc) => arc.map(Math.round)), [[600, 50, 3], [600, 80, 3]]);
  assert.deepEqual(rects.map((rect) => rect.slice(1)), [[50, 1.5, 30]]);
  drawLones({ ...scene, ctx, width: 500 }, lones(scene, store, T + 60), "red", 1);
  assert.equal(arcs.length, 2, "what is out of view is not drawn beside it");
});

test("names are cut where they do not differ, as in a saved picture", () => {
  const [north, south, outside] = ["lab:temperature.inside/north-wall", "lab:temperature.inside/south-wall", "lab:temperature.outside"] as const;
  assert.deepEqual(short(["lab:temp", "lab:humidity"], 14), ["lab:temp", "lab:humidity"]);
  assert.deepEqual(short([north, south, outside], 22), ["…inside/north-wall", "…inside/south-wall", "…outside"]);
  assert.deepEqual(short([north, south, outside], 14), ["…ins…orth-wall", "…ins…outh-wall", "…outside"]);
  assert.deepEqual(short(["lab:temperature.inside"], 14), ["lab:…re.inside"]);
  assert.deepEqual(short(["oven at the front of the hall", "oven at the end of the hall"], 14), ["…fro… the hall", "…end… the hall"]);
  assert.deepEqual(short(["a".repeat(20), "a".repeat(20)], 14), ["aaaa…aaaaaaaaa", "aaaa…aaaaaaaaa"]);
  assert.deepEqual(short([], 14), []);
});

test("a first range is round, has 8 % to spare, and holds zero when the least is under a quarter", () => {
  assert.deepEqual(fit(0.2, 9), [0, 10]);
  assert.deepEqual(fit(20, 24), [19.5, 24.5]);
  assert.deepEqual(fit(-9, -0.2), [-10, 0]);
  const [low, high] = fit(-3, 5);
  assert.ok(low <= -3.64 && high >= 5.64);
});

test("constant data gets 5 % on either side, zero gets one, percent gets its hundred", () => {
  assert.deepEqual(fit(100, 100), [95, 105]);
  assert.deepEqual(fit(0, 0), [-1, 1]);
  assert.deepEqual(fit(40, 41, "%"), [0, 100]);
  assert.ok(fit(40, 140, "%")[1] > 140);
});

test("a device's sign for no value costs the axis nothing but its height", () => {
  const none = Number.MAX_VALUE;
  for (const [low, high] of [[-none, none], [0, none], [none, none], [-none, -none]] as const) {
    assert.ok(fit(low, high).every(Number.isFinite), `${low} to ${high}`);
  }
  assert.ok(fitLog(5e-324, none).every((bound) => Number.isFinite(bound) && bound > 0));
  const range = new Range("", true);
  range.at(-none, none, 0);
  range.at(0, 10, 100);
  range.at(0, 10, 2200);
  assert.deepEqual(range.at(0, 10, 2500), fit(0, 10), "it goes with it");
});

test("a range grows at once, and only on the side that needs it", () => {
  const range = new Range();
  const [low] = range.at(20, 24, 0);
  const [lower, higher] = range.at(20, 40, 16);
  assert.ok(higher >= 41.6);
  assert.ok(lower <= low);
});

test("data that end at a bound get room beyond it, but zero and a hundred percent are bounds", () => {
  const range = new Range();
  range.at(-0.9, 0.9, 0);
  for (let i = 1; i <= 10; i++) range.at(-0.9 - i / 100, 0.9, 16 * i);
  assert.ok(range.at(-1, 0.9, 200)[0] < -1.05);
  assert.equal(new Range("%").at(0, 100, 0)[1], 100);
  assert.equal(new Range().at(0, 9, 0)[0], 0);
});

test("a range shrinks after 2 s of little use, eased over 200 ms, and not for a short spell", () => {
  const range = new Range();
  range.at(0, 100, 0);
  const wide = range.at(0, 10, 100);
  assert.deepEqual(range.at(0, 10, 2000), wide);
  assert.deepEqual(range.at(0, 90, 2050), wide);
  range.at(0, 10, 2100);
  range.at(0, 10, 4100);
  const half = range.at(0, 10, 4200);
  assert.ok(half[1] < wide[1] && half[1] > 12, `${half[1]}`);
  assert.ok(range.easing);
  assert.deepEqual(range.at(0, 10, 4300), fit(0, 10));
  assert.ok(!range.easing);
});

test("data that use more than half of a range never shrink it, though a range of their own would be tighter", () => {
  const range = new Range();
  const wide = range.at(-0.8, 1, 0);
  for (let now = 16; now < 10_000; now += 16) assert.deepEqual(range.at(-0.8, 0.8, now), wide);
  assert.deepEqual([wide, fit(-0.8, 0.8)], [[-1, 1.5], [-1, 1]]);
});

test("data that hover about a bound do not make it flicker", () => {
  const range = new Range();
  let before = range.at(20, 30, 0);
  let changes = 0;
  for (let i = 1; i < 1000; i++) {
    const now = range.at(20 + Math.random(), 30 + Math.random(), 16 * i);
    if (now[1] !== before[1] || now[0] !== before[0]) changes++;
    before = now;
  }
  assert.ok(changes <= 1, `${changes}`);
});

test("steps are 1, 2 or 5 times a power of ten", () => {
  assert.deepEqual([0.11, 1, 1.01, 3, 70].map(roundStep), [0.2, 1, 2, 5, 100]);
});

test("value ticks have equal decimals, a true minus sign, and one prefix in the caption", () => {
  const ticks = valueTicks(-0.5, 1, 160, "");
  assert.deepEqual(ticks.labels, ["−0.5", "0.0", "0.5", "1.0"]);
  const rates = valueTicks(0, 2_500_000, 160, "B/s");
  assert.equal(rates.caption, "MB/s");
  assert.ok(rates.labels.includes("1.5"));
  assert.equal(valueTicks(0, 100, 160, "%").caption, "%");
});

test("time ticks are at most six, round, and name the date once", () => {
  for (const window of [0.01, 1, 10, 60, 300, 3600, 86400, 7 * 86400, 365 * 86400]) {
    const { at, labels } = timeTicks(T, T + window, 1400);
    assert.ok(at.length >= 2 && at.length <= 7, `${window}: ${at.length}`);
    const dates = labels.filter((label) => label.includes("\n"));
    if (window <= 300) assert.equal(dates.length, 1);
  }
  assert.match(timeTicks(T, T + 60, 700).labels[0]!, /^\d\d:\d\d:\d\d\n\d{4}-\d\d-\d\d$/);
});

test("midnight carries the new date", () => {
  const midnight = Math.ceil(T / 86400) * 86400 + 60 * new Date(T * 1000).getTimezoneOffset();
  const { labels } = timeTicks(midnight - 30, midnight + 30, 1000);
  assert.equal(labels.filter((label) => label.includes("\n")).length, 2);
});

test("a narrow axis has fewer ticks, and none whose label would be cut off", () => {
  assert.ok(timeTicks(T, T + 60, 240).at.length <= 4);
  const { labels } = timeTicks(T, T + 60.1, 700, 0);
  const last = timeTicks(T - 59.9, T + 0.1, 700, 0);
  assert.notEqual(labels[0], "");
  assert.equal(last.labels.at(-1), "");
});

test("the edge of a window of milliseconds does not run out of it between two frames", () => {
  const follow = new Follow();
  follow.take(100, 0);
  assert.equal(follow.at(0, 0.01), 100);
  assert.ok(Math.abs(follow.at(0.5, 0.01)! - 100.0025) < 1e-9);
  follow.take(100.016, 0.516);
  assert.ok(follow.at(0.516, 0.01)! >= 100.016);
});

test("the edge follows the newest sample and runs on for at most a second", () => {
  const follow = new Follow();
  follow.take(T, 0);
  assert.equal(follow.at(0, 60), T);
  let edge = T;
  for (let now = 0.016; now < 3; now += 0.016) {
    const next = follow.at(now, 60)!;
    assert.ok(next >= edge && next <= T + 1 + 1e-6);
    edge = next;
  }
  assert.ok(edge > T + 0.9);
  assert.ok(!follow.moving(3));
});

test("jittering frames make a smooth edge that never goes back nor lags", () => {
  const follow = new Follow();
  let before = T;
  let largest = 0;
  for (let i = 0; i < 600; i++) {
    const now = i / 60;
    if (i % 3 === 0) follow.take(T + now - 0.02 * ((i * 7) % 5) / 5, now);
    const edge = follow.at(now, 60)!;
    assert.ok(edge >= before - 1e-9);
    if (i > 60) largest = Math.max(largest, edge - before);
    before = edge;
  }
  assert.ok(largest < 0.03, `${largest}`);
});

test("a stream that begins anew takes the edge with it", () => {
  const follow = new Follow();
  follow.take(T, 0);
  follow.at(0, 60);
  follow.take(T - 1000, 1);
  assert.equal(follow.at(1, 60), T - 1000);
});

const facts: Facts = {
  closed: null, pausedNew: null, hasData: true, connected: true, age: 1, interval: 0.1, silence: 0, reason: "", undrawable: false,
};

test("closed wins over paused over stale", () => {
  const all = { ...facts, connected: false, pausedNew: 340, closed: T * 1000 };
  assert.match(statusOf(all).text, /^Closed \d\d:\d\d$/);
  assert.deepEqual(statusOf({ ...all, closed: null }), { state: "paused", text: "Paused, 340 new" });
  assert.equal(statusOf({ ...all, closed: null, pausedNew: null }).state, "stale");
});

test("live is connected, young and heard", () => {
  assert.equal(statusOf(facts).state, "live");
  assert.equal(statusOf({ ...facts, age: 6 }).state, "stale");
  assert.equal(statusOf({ ...facts, age: 6, interval: 2 }).state, "live");
  assert.equal(statusOf({ ...facts, hasData: false }).state, "empty");
});

test("stale says for how long and why", () => {
  assert.equal(statusOf({ ...facts, age: 12 }).text, "no data for 12 s");
  assert.equal(
    statusOf({ ...facts, connected: false, age: 12, reason: "reconnecting, attempt 3" }).text,
    "no data for 12 s, reconnecting, attempt 3",
  );
  assert.equal(statusOf({ ...facts, connected: false, age: 0.2, reason: "reconnecting" }).text, "reconnecting");
  assert.equal(statusOf({ ...facts, age: 7, silence: 6 }).text, "no data for 7 s, kernel is not answering");
  assert.deepEqual(statusOf({ ...facts, age: 7, silence: Infinity }), { state: "stale", text: "kernel has ended, run the cell again" });
});

test("what nothing came to says its state in a word, and why apart from it", () => {
  const none = { ...facts, hasData: false };
  assert.deepEqual(statusOf(none), { state: "empty", text: "waiting", why: "" });
  const reason = "has heard nothing for 12 s; lab:temp carries data";
  assert.deepEqual(statusOf({ ...none, reason }), { state: "empty", text: "waiting", why: reason });
  assert.deepEqual(statusOf({ ...none, silence: 6, reason }).why, "kernel is not answering");
  assert.equal(statusOf({ ...none, undrawable: true }).text, "nothing to draw");
  assert.equal(statusOf({ ...none, refused: true }).text, "refused");
});

test("a trend is told by what part of the picture it crossed", () => {
  assert.equal(trend(1, 2, 10), "rising");
  assert.equal(trend(2, 1, 10), "falling");
  assert.equal(trend(1, 1.1, 10), "steady");
  assert.equal(trend(null, 1, 10), "");
});
