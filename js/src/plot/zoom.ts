// The arithmetic of zooming and panning: spans of an axis in, spans out.
//
// Pure. A *place* is a fraction of the axis, 0 at its beginning and 1 at its end. Value axes
// are zoomed by places too, [0, 1] being what is shown: scale.ts knows the values at them.

export type Span = readonly [number, number];

export interface Limits {
  /** The oldest time that there is, and the newest. */
  oldest: number;
  newest: number;
  /** The shortest span that makes sense, seconds. */
  shortest: number;
}

/** What lies at `place` of the span. */
export function at(span: Span, place: number): number {
  return span[0] + (span[1] - span[0]) * place;
}

/** The span `factor` times as long, with what lies at `place` staying there. */
export function zoom(span: Span, place: number, factor: number): Span {
  const fixed = at(span, place);
  return [fixed - (fixed - span[0]) * factor, fixed + (span[1] - fixed) * factor];
}

/** The span moved by a part of its own length. */
export function pan(span: Span, by: number): Span {
  const step = (span[1] - span[0]) * by;
  return [span[0] + step, span[1] + step];
}

/** What lies between two places, in whichever order they are. */
export function select(span: Span, one: number, other: number): Span {
  const low = Math.max(0, Math.min(1, Math.min(one, other)));
  const high = Math.max(0, Math.min(1, Math.max(one, other)));
  return [at(span, low), at(span, high)];
}

/** The span within the limits: no shorter than makes sense, no longer than what there is, moved back in. */
export function within([from, to]: Span, { oldest, newest, shortest }: Limits): Span {
  const longest = Math.max(newest - oldest, shortest);
  let length = to - from;
  if (length > longest) {
    [from, to] = [oldest, newest];
    length = longest;
  } else if (length < shortest) {
    const middle = (from + to) / 2;
    [from, to] = [middle - shortest / 2, middle + shortest / 2];
    length = shortest;
  }
  if (to > newest) return [newest - length, newest];
  if (from < oldest) return [oldest, oldest + length];
  return [from, to];
}

/** The factor of a turn of the wheel, whose `delta` is in pixels, lines or pages. */
export function wheelFactor(delta: number, mode: number, pinch: boolean): number {
  const pixels = delta * (mode === 1 ? 16 : mode === 2 ? 200 : 1);
  // A pinch on a trackpad comes as a wheel with Ctrl, in steps of a few pixels.
  const step = Math.max(-200, Math.min(200, pixels)) * (pinch && Math.abs(pixels) < 40 ? 0.01 : 0.002);
  return Math.exp(step);
}
