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
