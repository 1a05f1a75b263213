import assert from "node:assert/strict";
import { test } from "node:test";
import { downwards, rowName, rowTicks } from "../src/heatmap/axis";
import { rgb, STEPS, steps, table } from "../src/heatmap/colors";
import { Columns } from "../src/heatmap/columns";
import { lines, paint } from "../src/heatmap/paint";

const view = (array: Float64Array | Float32Array): DataView => new DataView(array.buffer);

/** Buffers as the kernel sends them: columns of [bin, time, ...values]. */
function buffers(...columns: number[][]): DataView[] {
  return [
    view(Float64Array.from(columns, ([bin]) => bin!)),
    view(Float64Array.from(columns, ([, time]) => time!)),
    view(Float32Array.from(columns.flatMap((column) => column.slice(2)))),
  ];
}

const bins = (columns: Columns): number[] => columns.list.map(({ bin }) => bin);

test("takes new columns, replaces the newest, and forgets what left the window", () => {
  const columns = new Columns();
  columns.take(buffers([1, 1, 5, 6], [2, 2, 7, 8]), 2, true, 10);
  columns.take(buffers([2, 2.5, 9, 10], [3, 3, 1, 2]), 2, false, 10);
  assert.deepEqual(bins(columns), [1, 2, 3]);
  assert.deepEqual([...columns.list[1]!.values], [9, 10]);
  columns.take(buffers([20, 13.5, 1, 2]), 2, false, 10);
  assert.deepEqual(bins(columns), [2, 3, 20]);
  columns.take(buffers([21, 14, 1, 2, 3]), 3, false, 10);
  assert.deepEqual(bins(columns), [21]);
  columns.take([], 3, false, 10);
  assert.deepEqual(bins(columns), [21]);
});

test("a column reaches back to the one before, and over a gap a usual pause", () => {
  const columns = new Columns();
  columns.bin = 0.1;
  columns.interval = 1;
  columns.take(buffers([10, 1, 5], [20, 2, 6], [90, 9, 7]), 1, true, 60);
  assert.deepEqual([0, 1, 2].map((i) => columns.begin(i)), [0, 1, 8]);
  assert.equal(columns.at(1.5)!.values[0], 6);
  assert.equal(columns.at(2)!.values[0], 6);
  assert.equal(columns.at(5), null);
  assert.equal(columns.at(8.5)!.values[0], 7);
  assert.equal(columns.at(10), null);
  assert.deepEqual([columns.oldest, columns.newest], [0, 9]);
});

test("extremes are of what is in view, and gaps are none", () => {
  const columns = new Columns();
  columns.take(buffers([1, 1, -5, NaN], [2, 2, NaN, NaN], [3, 3, 2, 8], [4, 4, Infinity, 3]), 2, true, 60);
  assert.deepEqual(columns.extremes(0), [-5, 8]);
  assert.deepEqual(columns.extremes(2.5), [2, 8]);
  assert.deepEqual(columns.extremes(9), [null, null]);
});

test("paints rows from the bottom or the top, and leaves gaps clear", () => {
  const columns = new Columns();
  columns.take(buffers([1, 1, 0, 1], [2, 2, NaN, 0.5]), 2, true, 60);
  columns.interval = 1;
  const colors = Uint32Array.from([10, 20, 30, 40]);
  const pixels = { width: 4, height: 2, data: new Uint32Array(8) };
  const look = { from: 0, perSecond: 2, low: 0, high: 1, colors };
  paint(pixels, columns, { ...look, down: false });
  assert.deepEqual([...pixels.data], [40, 40, 30, 30, 10, 10, 0, 0]);
  paint(pixels, columns, { ...look, down: true });
  assert.deepEqual([...pixels.data], [10, 10, 0, 0, 40, 40, 30, 30]);
});

test("several rows on a pixel show the greatest, and what is outside of the range its ends", () => {
  const columns = new Columns();
  columns.take(buffers([1, 1, -9, 0.2, 5, NaN]), 4, true, 60);
  const pixels = { width: 1, height: 2, data: new Uint32Array(2) };
  paint(pixels, columns, { from: 0, perSecond: 1, low: 0, high: 1, colors: Uint32Array.from([1, 2]), down: true });
  assert.deepEqual([...pixels.data], [1, 2]);
  assert.deepEqual([lines(4, 2), lines(4, 100), lines(0, 100)], [2, 4, 1]);
});

/** Lightness as people see it, CIE L*. */
function seen([red, green, blue]: readonly number[]): number {
  const [r, g, b] = [red, green, blue].map((v) => (v! <= 10.31475 ? v! / 3294.6 : ((v! / 255 + 0.055) / 1.055) ** 2.4)) as [number, number, number];
  const y = 0.2126729 * r + 0.7151522 * g + 0.072175 * b;
  return y > 0.008856 ? 116 * Math.cbrt(y) - 16 : 903.3 * y;
}

for (const name of ["ember", "dusk", "gray"]) {
  test(`${name} gets evenly lighter and stays within what a screen shows`, () => {
    const colors = steps(name);
    assert.equal(colors.length, STEPS);
    const light = colors.map((color) => seen(rgb(color)));
    for (let i = 1; i < STEPS; i++) assert.ok(light[i]! > light[i - 1]! - 0.02, `darker at ${i}`);
    assert.ok(light[STEPS - 1]! - light[0]! > 70);
    const sizes = colors.slice(1).map((color, i) => Math.hypot(...color.map((v, k) => v - colors[i]![k]!)));
    assert.ok(Math.max(...sizes) < 1.6 * Math.min(...sizes), `steps from ${Math.min(...sizes)} to ${Math.max(...sizes)}`);
    for (const pixel of table(name)) assert.equal(pixel >>> 24, 255);
  });
}

test("rows have round ticks between their positions, a label each, or names", () => {
  const even = rowTicks({ positions: [0, 500], unit: "Hz" }, 129, 200);
  assert.equal(even.caption, "Hz");
  assert.deepEqual([even.ticks[0], even.ticks.at(-1)], [{ row: 0, label: "0" }, { row: 128, label: "500" }]);
  const uneven = rowTicks({ positions: [1, 10, 100], unit: "Hz" }, 3, 200);
  assert.deepEqual(uneven.ticks.map(({ label }) => label), ["1", "10", "100"]);
  const named = rowTicks({ names: ["a", "b", "c", "d"], unit: "" }, 4, 32);
  assert.deepEqual(named.ticks, [{ row: 0, label: "a" }, { row: 2, label: "c" }]);
  assert.deepEqual(rowTicks({ positions: [3, 3], unit: "" }, 1, 200).ticks, [{ row: 0, label: "3" }]);
});

test("a row is called by its position or its name", () => {
  assert.equal(rowName({ positions: [0, 500], unit: "Hz" }, 129, 32), "125 Hz");
  assert.equal(rowName({ positions: [0, 7], unit: "" }, 8, 3), "row 3");
  assert.equal(rowName({ names: ["a", "b"], unit: "" }, 2, 1), "b");
  assert.deepEqual([downwards({ names: ["a"], unit: "" }), downwards({ positions: [0, 3], unit: "" }), downwards({ positions: [9, 3], unit: "" })], [true, false, true]);
});
