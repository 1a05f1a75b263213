// Colour maps: evenly lighter from end to end, so that a picture reads without hues, in print and in any eyes.
//
// Each is a curve through a few colours of our own, given in OKLCh (lightness, chroma, hue) and walked in OKLab
// (Björn Ottosson, "A perceptual color space for image processing", 2020, whose matrices these are) at steps of
// equal length: equal steps of the value are equal steps to the eye. What makes such a map trustworthy is said
// by F. Crameri, G. Shephard, P. Heron, "The misuse of colour in science communication", 2020.
//
// Pure. The one rule: lightness only ever rises along a map.

type Lab = readonly [number, number, number];
type Rgb = readonly [number, number, number];

/** Lightness 0–1, chroma, hue in degrees. */
type Point = readonly [number, number, number];

const POINTS: Record<string, readonly Point[]> = {
  // Night blue, violet, red, orange, pale yellow.
  ember: [[0.18, 0.07, 275], [0.36, 0.15, 295], [0.54, 0.18, 350], [0.72, 0.16, 45], [0.93, 0.12, 100]],
  // Blue to yellow through gray: the one pair of hues that nearly everybody tells apart.
  dusk: [[0.24, 0.09, 265], [0.42, 0.05, 262], [0.58, 0.012, 100], [0.75, 0.08, 95], [0.92, 0.14, 100]],
  gray: [[0.2, 0, 0], [0.95, 0, 0]],
};

export const STEPS = 256;

function lab([lightness, chroma, hue]: Point): Lab {
  const angle = (hue * Math.PI) / 180;
  return [lightness, chroma * Math.cos(angle), chroma * Math.sin(angle)];
}

/** sRGB, 0–255 and not rounded, of a colour in OKLab. */
export function rgb([l, a, b]: Lab): Rgb {
  const long = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const middle = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (l - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
    -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
    -0.0041960863 * long - 0.7034186147 * middle + 1.707614701 * short,
  ];
  const [red, green, blue] = linear.map((v) => {
    const light = Math.min(1, Math.max(0, v));
    return 255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055);
  });
  return [red!, green!, blue!];
}

/** A smooth curve through the points (Catmull–Rom), the lightness of each piece straight. */
function along(points: readonly Lab[], at: number): Lab {
  const last = points.length - 1;
  const i = Math.min(last - 1, Math.floor(at * last));
  const t = at * last - i;
  const before = points[Math.max(0, i - 1)]!;
  const [from, to] = [points[i]!, points[i + 1]!];
  const after = points[Math.min(last, i + 2)]!;
  const bend = (k: 1 | 2): number => {
    const [p0, p1, p2, p3] = [before[k], from[k], to[k], after[k]];
    return 0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t * t + (3 * p1 - p0 - 3 * p2 + p3) * t * t * t);
  };
  return [from[0] + (to[0] - from[0]) * t, bend(1), bend(2)];
}

const FINE = 2048;
const known = new Map<string, readonly Lab[]>();

/** The map's colours in OKLab, at equal steps. */
export function steps(name: string): readonly Lab[] {
  let found = known.get(name);
  if (found) return found;
  const points = (POINTS[name] ?? POINTS.ember!).map(lab);
  const fine = Array.from({ length: FINE }, (_, i) => along(points, i / (FINE - 1)));
  const lengths = [0];
  for (let i = 1; i < FINE; i++) {
    const [p, q] = [fine[i - 1]!, fine[i]!];
    lengths.push(lengths[i - 1]! + Math.hypot(q[0] - p[0], q[1] - p[1], q[2] - p[2]));
  }
  const total = lengths[FINE - 1]!;
  let at = 0;
  found = Array.from({ length: STEPS }, (_, i) => {
    const wanted = (total * i) / (STEPS - 1);
    while (at < FINE - 1 && lengths[at]! < wanted) at++;
    return fine[at]!;
  });
  known.set(name, found);
  return found;
}

/** The map as pixels of an ImageData: red in the lowest byte, opaque. */
export function table(name: string): Uint32Array {
  return Uint32Array.from(steps(name), (color) => {
    const [red, green, blue] = rgb(color).map(Math.round) as [number, number, number];
    return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  });
}
