// How a series looks, beside its name.

export interface Look {
  /** For CSS. */
  color: string;
  dash: string;
}

/** A stretch of its line, as markup. */
export const swatch = ({ color, dash }: Look): string =>
  `<svg class="nbrt-swatch" viewBox="0 0 16 4" aria-hidden="true"><line x1="0" y1="2" x2="16" y2="2" ` +
  `style="stroke:${color};stroke-dasharray:${dash || "none"}"/></svg>`;
