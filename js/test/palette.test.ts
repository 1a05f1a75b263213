// Whether the series' colours are what they are said to be: legible on their ground, and apart for eyes that lack a cone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DARK, LIGHT } from "../src/shared/theme";

type Triple = [number, number, number];

const linear = (hex: string): Triple =>
  [1, 3, 5].map((at) => {
    const v = parseInt(hex.slice(at, at + 2), 16) / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  }) as Triple;

const times = (matrix: number[][], [r, g, b]: Triple): Triple =>
  matrix.map((row) => Math.min(1, Math.max(0, row[0]! * r + row[1]! * g + row[2]! * b))) as Triple;

// Machado, Oliveira & Fernandes 2009, severity 1.
const SIGHTS: Record<string, number[][]> = {
  full: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
};

/** OKLab, in which a distance of 0.02 is just noticed. */
function lab([r, g, b]: Triple): Triple {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

const luminance = ([r, g, b]: Triple): number => 0.2126 * r + 0.7152 * g + 0.0722 * b;
const contrast = (a: string, b: string): number => {
  const [low, high] = [luminance(linear(a)), luminance(linear(b))].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
};

for (const [name, colors, ground, least] of [["light", LIGHT, "#FFFFFF", 3.1], ["dark", DARK, "#111111", 4.5]] as const) {
  test(`${name}: every series stands out from its ground`, () => {
    for (const color of colors) assert.ok(contrast(color, ground) >= least, `${color}: ${contrast(color, ground)}`);
  });

  for (const [sight, matrix] of Object.entries(SIGHTS)) {
    test(`${name}: no two series look alike with ${sight} vision`, () => {
      const seen = colors.map((color) => lab(times(matrix, linear(color))));
      let [nearest, pair] = [Infinity, ""];
      seen.forEach((a, i) =>
        seen.slice(i + 1).forEach((b, j) => {
          const far = Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
          if (far < nearest) [nearest, pair] = [far, `${colors[i]} ${colors[i + 1 + j]}`];
        }),
      );
      assert.ok(nearest >= 0.055, `${pair}: ${nearest.toFixed(3)}`);
    });
  }
}
