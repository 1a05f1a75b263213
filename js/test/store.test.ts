import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf, Store, type Entry } from "../src/plot/store";

const T = 1_790_000_000;

function regular(t0: number, step: number, values: number[], more: Partial<Entry> = {}): [Entry, DataView] {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, i) => view.setFloat32(4 * i, value, true));
  const entry: Entry = {
    series: 0, mode: "points", reset: false, n: values.length, t0, step, v0: 100, scale: 2, interval: step, last: null, first: t0, ...more,
  };
  return [entry, view];
}

const rows = (store: Store): [number, number][] =>
  Array.from({ length: store.end - store.start }, (_, i) => [
    Math.round((store.time[store.start + i]! - T) * 1e4) / 1e4,
    store.value[store.start + i]!,
  ]);

test("an evenly spaced series travels as its start, its step and values alone", () => {
  const store = new Store();
  const [entry, view] = regular(T, 0.05, [0, 1, 2]);
  assert.equal(bytesOf(entry), 12);
  store.take(entry, view, 0, 60);
  assert.deepEqual(rows(store), [[0, 100], [0.05, 102], [0.1, 104]]);
});

test("a single sample is evenly spaced, and what comes again replaces what is there", () => {
  const store = new Store();
  store.take(...regular(T, 0.05, [0, 1, 2]), 0, 60);
  store.take(...regular(T + 0.05 + 2e-5, 0.05, [5, 6, 7]), 0, 60);
  store.take(...regular(T + 0.2, 0, [9]), 0, 60);
  assert.deepEqual(rows(store), [[0, 100], [0.05, 110], [0.1, 112], [0.15, 114], [0.2, 118]]);
});

test("entries with and without times follow each other in one buffer", () => {
  const view = new DataView(new ArrayBuffer(4 * 2 + 8));
  [1, 2, 0, 3].forEach((value, i) => view.setFloat32(4 * i, value, true));
  const first = regular(T, 1, [0, 0])[0];
  const second: Entry = { ...first, n: 1, t0: T + 5 };
  delete second.step;
  const [one, other] = [new Store(), new Store()];
  one.take(first, view, 0, 60);
  other.take(second, view, bytesOf(first), 60);
  assert.deepEqual([rows(one), rows(other)], [[[0, 102], [1, 104]], [[5, 106]]]);
});

test("what shows of a long store is what lies there and the neighbours whose lines reach into view", () => {
  const store = new Store();
  store.take(...regular(T, 0.001, Array.from({ length: 5000 }, (_, i) => i)), 0, 60);
  store.trim(T + 1);
  const seen = (from: number, to: number): number[] => {
    const part = store.reaching(T + from, T + to);
    return [...part.time.slice(part.start, part.end)].map((time) => Math.round((time - T) * 1000));
  };
  assert.deepEqual(seen(2.0005, 2.0025), [2000, 2001, 2002, 2003]);
  assert.deepEqual(seen(2.0002, 2.0004), [2000, 2001], "a line that only passes through");
  assert.deepEqual(seen(4.9985, 9), [4998, 4999]);
  assert.deepEqual(seen(-9, 0.5), [store.start], "older is nothing but the first one, which is not before it");
  assert.deepEqual(seen(8, 9), [4999]);
  assert.equal(new Store().reaching(T, T + 1).end, 0);
  const between = store.between(T + 2.0005, T + 2.0025);
  assert.equal(between.end - between.start, 2);
});

test("an index is found by halving, and of nothing it is its end", () => {
  const store = new Store();
  store.take(...regular(T, 0.5, [0, 1, 2, 3]), 0, 60);
  assert.deepEqual([-1, 0, 0.1, 0.5, 1.5, 2].map((t) => store.index(T + t)), [0, 0, 1, 1, 3, 4]);
  assert.deepEqual([-1, 0, 0.1, 0.5, 1.5, 2].map((t) => store.index(T + t, true)), [0, 1, 1, 2, 4, 4]);
  assert.equal(new Store().index(T), 0);
  assert.equal(store.oldest(T + 2), null);
});

/** A frame of a band's samples: everything from the first one in bin `k0` on. */
function samples(times: number[], values: number[], bin: number, more: Partial<Entry> = {}): [Entry, DataView] {
  const n = times.length;
  const view = new DataView(new ArrayBuffer(8 * n));
  times.forEach((time, i) => view.setFloat32(4 * i, time - times[0]!, true));
  values.forEach((value, i) => view.setFloat32(4 * (n + i), value, true));
  const entry: Entry = {
    series: 0, mode: "samples", reset: false, n, t0: times[0]!, bin, k0: Math.floor(times[0]! / bin + 1e-9), v0: 0, scale: 1,
    interval: 0.01, last: null, first: null, ...more,
  };
  return [entry, view];
}

/** A band of `n` bins from `k0` on, each from -1 to 1. */
function band(k0: number, n: number, bin: number): [Entry, DataView] {
  const view = new DataView(new ArrayBuffer(12 * n));
  for (let i = 0; i < n; i++) {
    view.setFloat32(4 * i, -1, true);
    view.setFloat32(4 * (n + i), 1, true);
  }
  const entry: Entry = {
    series: 0, mode: "band", reset: true, n, bin, k0, dense: true, v0: 0, scale: 1, interval: 0.01, last: null, first: null,
  };
  return [entry, view];
}

const bars = (store: Store): [number, number, number, number][] =>
  Array.from({ length: store.end - store.start }, (_, i) => {
    const at = store.start + i;
    return [Math.floor(store.time[at]! / store.bin) - 1000, store.low[at]!, store.high[at]!, store.value[at]!];
  });

test("few new samples of a band are put into its bins, and replace what was there from their first bin on", () => {
  const store = new Store();
  store.take(...band(1000, 4, 0.5), 0, 60);
  const entry = samples([501.1, 501.2, 501.7, 502.6], [3, 5, 7, 9], 0.5);
  assert.equal(bytesOf(entry[0]), 32);
  store.take(...entry, 0, 60);
  assert.equal(store.mode, "band");
  assert.deepEqual(bars(store), [[0, -1, 1, 0], [1, -1, 1, 0], [2, 3, 5, 4], [3, 7, 7, 7], [5, 9, 9, 9]]);
  store.take(...samples([502.6, 502.7], [9, 1], 0.5), 0, 60);
  assert.deepEqual(bars(store).at(-1), [5, 1, 9, 5]);
});

test("samples that are evenly spaced travel without their times", () => {
  const [entry, view] = regular(501, 0.25, [1, 2, 3, 4, 5], { mode: "samples", bin: 0.5, k0: 1002, v0: 0, scale: 1 });
  assert.equal(bytesOf(entry), 20);
  const store = new Store();
  store.take(...band(1000, 2, 0.5), 0, 60);
  store.take(entry, view, 0, 60);
  // One on an edge counts for the bin before, but for the first one, whose bin is known.
  assert.deepEqual(bars(store).slice(2), [[2, 1, 3, 2], [3, 4, 5, 4.5]]);
});

test("a gap is in no bin, and a bin of gaps is one", () => {
  const store = new Store();
  store.take(...band(1000, 1, 0.5), 0, 60);
  store.take(...samples([500.6, 500.7, 501.1, 501.2, 501.6, 501.7], [NaN, 4, NaN, NaN, Infinity, 2], 0.5), 0, 60);
  assert.deepEqual(bars(store).slice(1), [[1, 4, 4, 4], [2, NaN, NaN, NaN], [3, 2, Infinity, 2]]);
});

test("no sample of a stream is ever lost, however close to the edge of a bin it lies", () => {
  const bin = 0.002;
  const index = (time: number): number => Math.floor(time / bin + 1e-9);
  for (const [rate, begin] of [[10_000, T], [9_973, T + 0.0007], [500, T], [7_919, T + 1e-7]] as const) {
    const store = new Store();
    store.take(...band(index(begin), 1, bin), 0, 1);
    const time = (i: number): number => begin + i / rate;
    // Each sample is the number of its turn: it is in some bin if one reaches from below to above it.
    for (let from = 0, to = 0; to < 4000; from = to) {
      to = from + 1 + ((from * 7919) % 97);
      let first = from;
      while (first > 0 && index(time(first - 1)) === index(time(from))) first--;
      const all = Array.from({ length: to - first }, (_, i) => first + i);
      store.take(...samples(all.map(time), all, bin), 0, 1);
      let reached = -1;
      for (let at = store.start; at < store.end; at++) {
        assert.ok(store.low[at]! <= reached + 1, `${rate}/s: ${reached + 1} is in no bin, but ${store.low[at]!} in one`);
        reached = Math.max(reached, store.high[at]!);
      }
      assert.equal(reached, to - 1);
    }
  }
});
