// What a threshold or a mark means, as a colour *and* a symbol.
import type { Colors } from "../shared/theme";

export type Level = "info" | "good" | "warn" | "bad";

const NAMES: Record<string, Level> = {
  good: "good", ok: "good", warn: "warn", warning: "warn", bad: "bad", error: "bad", critical: "bad", alert: "bad",
};

/** Also of the words that others use. */
export const levelOf = (name: string | null | undefined): Level => NAMES[name ?? ""] ?? "info";

export function levelColor(level: Level, colors: Colors): string {
  return level === "info" ? colors.muted : colors[level];
}

/** A circle, a triangle or a square in a box of `size`, filled; "info" is a small ring. */
export function drawSymbol(ctx: CanvasRenderingContext2D, level: Level, x: number, y: number, size: number): void {
  const half = size / 2;
  ctx.beginPath();
  if (level === "warn") {
    ctx.moveTo(x, y - half);
    ctx.lineTo(x + half, y + half * 0.8);
    ctx.lineTo(x - half, y + half * 0.8);
    ctx.closePath();
  } else if (level === "bad") {
    ctx.rect(x - half * 0.8, y - half * 0.8, size * 0.8, size * 0.8);
  } else {
    ctx.arc(x, y, half * 0.8, 0, 2 * Math.PI);
    if (level === "info") ctx.arc(x, y, half * 0.4, 0, 2 * Math.PI, true);
  }
  ctx.fill();
}
