// Which colour and dash each line has.
//
// Collaborators: draw.ts and legend.ts ask; shared/theme.ts has the eight colours, which
// deuteranopes and protanopes can tell apart, too.
//
// Pure. The rule: up to eight lines each have a colour; above that nobody tells colours
// apart, and one hue shows where they all are, unless somebody gave colours enough for all
// in three dashes.
import { DASHES } from "../shared/theme";

const MANY = 8;

export interface Paint {
  /** A CSS colour that was chosen; null: the palette's at `index`. */
  given: string | null;
  index: number;
  dash: readonly number[];
}

/** One paint for each of `count` lines; null when one hue has to do. */
export function paints(count: number, given: readonly string[]): readonly Paint[] | null {
  const length = given.length;
  if (count <= MANY) {
    return Array.from({ length: count }, (_, index) => ({ given: given[index] ?? null, index, dash: DASHES[0]! }));
  }
  if (count > length * DASHES.length) return null;
  return Array.from({ length: count }, (_, index) => ({
    given: given[index % length]!,
    index: index % MANY,
    dash: DASHES[Math.floor(index / length)]!,
  }));
}

/** The paint of a crowd's envelope. */
export const crowd = (given: readonly string[]): Paint => ({ given: given[0] ?? null, index: 0, dash: DASHES[0]! });

/** For a canvas. */
export const inked = (paint: Paint, series: readonly string[]): string => paint.given ?? series[paint.index]!;

/** For CSS: follows the theme by itself. */
export const styled = (paint: Paint): string => paint.given ?? `var(--nbrt-series-${paint.index + 1})`;
