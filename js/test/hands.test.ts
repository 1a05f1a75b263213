import assert from "node:assert/strict";
import { test } from "node:test";
import { actionOf } from "../src/plot/actions";
import { at as sampleAt, chosen, digitsOf, fineClock, type Sight } from "../src/plot/crosshair";
import { csv, fileName } from "../src/plot/csv";
import type { Header } from "../src/plot/header";
import { Lens } from "../src/plot/lens";
import { before, nearestLine } from "../src/plot/nearest";
import { blocked } from "../src/plot/save";
import { splice } from "../src/plot/splice";
import { Store, type Entry } from "../src/plot/store";
import { pan, select, wheelFactor, within, zoom } from "../src/plot/zoom";

const T = 1_790_000_000;

/** A frame's entry of points every `step` seconds from `from` to `to`, and its numbers. */
function points(series: number, from: number, to: number, step: number, value = (t: number): number => t - T): [Entry, Float32Array] {
  const times = Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => from + i * step);
  const numbers = new Float32Array([...times.map((t) => t - from), ...times.map(value)]);
  const entry: Entry = {
    series, mode: "points", reset: true, n: times.length, t0: from, v0: 0, scale: 1, interval: step, last: value(to), first: from,
  };
  return [entry, numbers];
}

function store(from: number, to: number, step: number, value?: (t: number) => number): Store {
  const made = new Store();
  const [entry, numbers] = points(0, from, to, step, value);
  made.take(entry, new DataView(numbers.buffer), 0, to - from);
  return made;
}

function bins(from: number, to: number, bin: number): Store {
  const n = Math.round((to - from) / bin);
  const made = new Store();
  const numbers = new Float32Array([...Array(n).fill(-1), ...Array(n).fill(1), ...Array(n).fill(0)]);
  const entry: Entry = {
    series: 0, mode: "band", reset: true, n, bin, k0: Math.round(from / bin), dense: true, v0: 0, scale: 1, interval: bin / 100, last: 0, first: from,
  };
  made.take(entry, new DataView(numbers.buffer), 0, to - from);
  return made;
}

const times = (one: Store): number[] => [...one.time.slice(one.start, one.end)].map((t) => Math.round((t - T) * 100) / 100);

function answer(request: number, from: number, to: number, step: number): Header {
  const [entry, numbers] = points(0, from, to, step);
  return { data: [entry], buffers: [new DataView(numbers.buffer)], newest: T + 60, range: { from, to, request } } as unknown as Header;
}

// -- zoom ---------------------------------------------------------------------------------

test("a zoom keeps what is under the pointer where it is", () => {
  const [from, to] = zoom([0, 100], 0.25, 0.5);
  assert.deepEqual([from, to], [12.5, 62.5]);
  assert.equal((25 - from) / (to - from), 0.25);
  assert.deepEqual(zoom([12.5, 62.5], 0.25, 2), [0, 100]);
});

test("a selection is the same from either end, and ends at the axis", () => {
  assert.deepEqual(select([0, 10], 0.8, 0.2), [2, 8]);
  assert.deepEqual(select([0, 10], 0.2, 0.8), [2, 8]);
  assert.deepEqual(select([0, 10], -3, 1.7), [0, 10]);
  assert.deepEqual(pan([0, 10], -0.1), [-1, 9]);
});

test("a span stays within what there is, without getting shorter at its edges", () => {
  const limits = { oldest: 0, newest: 100, shortest: 0.001 };
  assert.deepEqual(within([-20, 30], limits), [0, 50]);
  assert.deepEqual(within([80, 120], limits), [60, 100]);
  assert.deepEqual(within([-50, 200], limits), [0, 100]);
  const [from, to] = within([50, 50], limits);
  assert.ok(Math.abs(to - from - 0.001) < 1e-9 && from < 50 && to > 50);
});

test("a turn of the wheel and back leads nowhere, and one wild turn not far", () => {
  assert.ok(Math.abs(wheelFactor(120, 0, false) * wheelFactor(-120, 0, false) - 1) < 1e-12);
  assert.ok(wheelFactor(-120, 0, false) < 1 && wheelFactor(3, 1, false) > 1);
  assert.ok(wheelFactor(1e6, 0, false) < 1.6);
  assert.ok(wheelFactor(-5, 0, true) < wheelFactor(-5, 0, false), "a pinch comes in small steps");
});

// -- keys ---------------------------------------------------------------------------------

const key = (name: string, more: object = {}) =>
  actionOf({ key: name, shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, ...more });

test("keys pan, zoom, follow and pause", () => {
  assert.deepEqual(key("ArrowLeft"), { do: "pan", axis: "x", by: -0.1 });
  assert.deepEqual(key("ArrowUp"), { do: "pan", axis: "y", by: 0.1 });
  for (const name of ["+", "="]) assert.ok((key(name) as { factor: number }).factor < 1);
  assert.ok((key("-") as { factor: number }).factor > 1);
  for (const name of ["Home", "0", "Escape"]) assert.deepEqual(key(name), { do: "follow" });
  assert.deepEqual(key(" "), { do: "pause" });
  assert.deepEqual(key("ArrowRight", { shiftKey: true }), { do: "step", by: 1 });
});

test("what the browser and the host use is left to them", () => {
  for (const more of [{ ctrlKey: true }, { metaKey: true }, { altKey: true }]) assert.equal(key("+", more), null);
  for (const name of ["Tab", "Enter", "a", "F5"]) assert.equal(key(name), null);
});

// -- splice and lens ----------------------------------------------------------------------

test("a fine past replaces the coarse one where it is known, and nowhere else", () => {
  const coarse = store(T, T + 10, 2);
  const fine = store(T + 4, T + 6, 0.5);
  const made = splice([
    { store: coarse, from: T, to: Infinity },
    { store: fine, from: T + 4, to: T + 6 },
  ]);
  assert.deepEqual(times(made), [0, 2, 4, 4.5, 5, 5.5, 6, 8, 10]);
});

test("one source is taken as it is", () => {
  const one = store(T, T + 3, 1);
  assert.equal(splice([{ store: new Store(), from: 0, to: 1 }, { store: one, from: T, to: Infinity }]), one);
});

test("what was there when a zoom began stays, though it leaves the window", () => {
  const lens = new Lens();
  const live = store(T, T + 60, 1);
  lens.look([T + 5, T + 15], [live], 0);
  live.trim(T + 50);
  const [shown] = lens.stores([live], 1);
  assert.deepEqual([times(shown!)[0], times(shown!).at(-1), times(shown!).length], [0, 60, 61]);
  lens.follow();
  assert.equal(lens.stores([live], 2)[0], live);
});

test("new data never move a span", () => {
  const lens = new Lens();
  const live = store(T, T + 60, 1);
  lens.look([T + 5, T + 15], [live], 0);
  const [entry, numbers] = points(0, T + 61, T + 90, 1);
  live.take({ ...entry, reset: false }, new DataView(numbers.buffer), 0, 60);
  assert.deepEqual(lens.x, [T + 5, T + 15]);
  assert.equal(lens.zoomed, true);
});

test("a picture that has every sample asks for none", () => {
  const lens = new Lens();
  const live = [store(T, T + 60, 0.1)];
  lens.look([T + 5, T + 15], live, 0);
  assert.equal(lens.ask(1000, 800, live, [T - 1000, T + 60]), null);
});

test("bins that are wider than a pixel are asked for, once the gesture rests, one question at a time", () => {
  const lens = new Lens();
  const live = [bins(T, T + 60, 0.1)];
  lens.look([T + 5, T + 15], live, 0);
  assert.equal(lens.ask(50, 800, live, [T, T + 60]), null);
  const question = lens.ask(200, 800, live, [T, T + 60])!;
  assert.ok(question.from <= T + 5 && question.to >= T + 15);
  assert.ok(question.width >= 800);
  lens.look([T + 6, T + 14], live, 300);
  assert.equal(lens.ask(1000, 800, live, [T, T + 60]), null);
  assert.equal(lens.busy(400), false);
  assert.equal(lens.busy(600), true);
  assert.notEqual(lens.take(answer(question.request, question.from, question.to, 0.01), 1, 1200), null);
  assert.equal(lens.busy(1300), false);
  const [shown] = lens.stores(live, 1);
  assert.ok(shown!.end - shown!.start > 1000);
  assert.equal(lens.ask(1400, 800, live, [T, T + 60]), null, "it has every sample now");
});

test("an answer to an older question is not taken", () => {
  const lens = new Lens();
  const live = [bins(T, T + 60, 0.1)];
  lens.look([T + 5, T + 15], live, 0);
  const question = lens.ask(200, 800, live, [T, T + 60])!;
  lens.follow();
  assert.equal(lens.take(answer(question.request, T, T + 1, 0.1), 1, 300), null);
});

test("a zoom's first answer is told from those that follow, and a pan has none", () => {
  const lens = new Lens();
  const live = [bins(T, T + 600, 1)];
  let now = 0;
  const answered = (from: number, to: number, zoomed: boolean): boolean | undefined => {
    lens.look([T + from, T + to], live, (now += 1000), zoomed);
    const question = lens.ask((now += 1000), 800, live, [T, T + 600])!;
    return lens.take(answer(question.request, question.from, question.to, 0.01), 1, now)?.first;
  };
  assert.equal(answered(100, 110, true), true);
  assert.equal(answered(130, 140, false), false);
  assert.equal(answered(200, 220, true), true);
  lens.look([T + 300, T + 310], live, (now += 1000), true);
  lens.follow();
  assert.equal(answered(400, 410, false), false, "of a zoom that ended");
});

test("what the kernel does not hold is not asked for again and again", () => {
  const lens = new Lens();
  const live = [bins(T, T + 60, 0.1)];
  lens.look([T + 5, T + 15], live, 0);
  const question = lens.ask(200, 800, live, [T, T + 60])!;
  lens.take({ ...answer(question.request, T + 9, question.to, 0.01) }, 1, 300);
  assert.equal(lens.ask(2000, 800, live, [T, T + 60]), null);
  // What it does not know is still shown from what was there.
  assert.ok(times(lens.stores(live, 1)[0]!).some((time) => time > 5 && time < 9));
});

// -- pointing -----------------------------------------------------------------------------

test("the sample under the crosshair is the nearest one that a line goes to", () => {
  const one = store(T, T + 10, 1);
  assert.equal(one.time[sampleAt(one, T + 3.4, 0.1)!], T + 3);
  assert.equal(one.time[sampleAt(one, T + 3.6, 0.1)!], T + 4);
  assert.equal(sampleAt(one, T + 20, 0.5), null);
  assert.equal(sampleAt(new Store(), T, 1), null);
  const gap = store(T, T + 4, 1, (t) => (t === T + 2 ? NaN : 1));
  assert.equal(sampleAt(gap, T + 2, 0.1), null);
});

test("the line under the pointer is the nearest within reach", () => {
  const stores = [store(T, T + 10, 1, () => 10), store(T, T + 10, 1, () => 50)];
  assert.equal(before(stores[0]!, T + 3.9) - stores[0]!.start, 3);
  assert.equal(nearestLine(stores, T + 5, 45, (value) => value), 1);
  assert.equal(nearestLine(stores, T + 5, 30, (value) => value), null);
});

test("of many lines the crosshair names those next to the pointer, as many as have room", () => {
  const stores = Array.from({ length: 20 }, (_, i) => store(T, T + 10, 1, () => i));
  const sight = { x: [T, T + 10], y: [0, 20], log: false, stores, height: 160 } as unknown as Sight;
  const found = stores.map((one) => sampleAt(one, T + 5, 1));
  const near = chosen(sight, found, 0.5);
  assert.ok(near.length >= 4 && near.length <= 8 && near.includes(10) && !near.includes(0) && !near.includes(19));
  assert.deepEqual(near, [...near].sort((one, other) => one - other));
  assert.deepEqual(chosen(sight, found, null).slice(0, 2), [0, 1]);
  const few = stores.slice(0, 3);
  assert.deepEqual(chosen({ ...sight, stores: few }, found, 0.5), [0, 1, 2]);
});

test("decimals are those that a pixel can tell", () => {
  assert.equal(digitsOf(0.1), 1);
  assert.equal(digitsOf(60 / 800), 1);
  assert.equal(digitsOf(3600 / 800), 0);
  assert.equal(fineClock(0.25, 2, "UTC"), "00:00:00.25");
  assert.equal(fineClock(59.9999, 2, "UTC"), "00:01:00.00");
});

// -- files --------------------------------------------------------------------------------

test("a table has a line for each time and a column for each series", () => {
  const text = csv(["a", "b"], [store(T, T + 2, 1), store(T + 1, T + 2, 1, () => 0.5)], T, T + 10);
  const lines = text.trimEnd().split("\r\n");
  assert.equal(lines[0], "time,epoch,a,b");
  assert.equal(lines[1], `${new Date(T * 1000).toISOString().slice(0, -1)}000Z,${T}.000000,0,`);
  assert.equal(lines[2]!.split(",").slice(2).join(), "1,0.5");
  assert.equal(lines.length, 4);
});

test("a table holds what is in view, gaps empty, bands with their extremes", () => {
  const gappy = store(T, T + 3, 1, (t) => (t === T + 1 ? NaN : 2));
  const lines = csv(["x"], [gappy], T + 1, T + 2).trimEnd().split("\r\n");
  assert.deepEqual(lines.slice(1).map((line) => line.split(",")[2]), ["", "2"]);
  assert.equal(csv(["x"], [bins(T, T + 1, 0.5)], T, T + 1).split("\r\n")[0], "time,epoch,x min,x mean,x max");
});

test("a table keeps small differences of large values, and no noise of single precision", () => {
  const large = store(T, T + 2, 1);
  for (let i = large.start; i < large.end; i++) large.value[i] = large.low[i] = large.high[i] = 1e9 + 0.25 * (i - large.start);
  const column = (text: string): string[] => text.trimEnd().split("\r\n").slice(1).map((line) => line.split(",")[2]!);
  assert.deepEqual(column(csv(["x"], [large], T, T + 2)), ["1000000000", "1000000000.25", "1000000000.5"]);
  assert.deepEqual(column(csv(["x"], [store(T, T + 2, 1, (t) => 20.1 + (t - T))], T, T + 2)), ["20.1", "21.1", "22.1"]);
  assert.deepEqual(column(csv(["x"], [store(T, T + 1, 1, () => 0.5)], T, T + 1)), ["0.5", "0.5"]);
});

test("a name that a publisher chose is quoted, and no formula", () => {
  const head = csv(['=cmd|"/c calc"!A1', "a,b", "-1"], [store(T, T, 1), store(T, T, 1), store(T, T, 1)], T, T).split("\r\n")[0];
  assert.equal(head, `time,epoch,"'=cmd|""/c calc""!A1","a,b",'-1`);
});

test("a file's name is plain and says when", () => {
  assert.equal(fileName("Room / Temp °C", T, "png"), `Room-Temp-C-${new Date(T * 1000).toISOString().slice(0, 10)}-${new Date(T * 1000).toISOString().slice(11, 19).replaceAll(":", "")}.png`);
  assert.match(fileName("../..", T, "csv"), /^plot-\d{4}-\d\d-\d\d-\d{6}\.csv$/);
});

test("downloads are not tried where a host may block them", () => {
  const page = { protocol: "https:", origin: "https://lab.example", vscode: false, sandbox: null };
  assert.equal(blocked(page), false);
  assert.equal(blocked({ ...page, sandbox: "allow-scripts allow-downloads" }), false);
  assert.equal(blocked({ ...page, sandbox: "allow-scripts" }), true);
  assert.equal(blocked({ ...page, origin: "null" }), true);
  assert.equal(blocked({ ...page, protocol: "vscode-webview:" }), true);
  assert.equal(blocked({ ...page, vscode: true }), true);
});
