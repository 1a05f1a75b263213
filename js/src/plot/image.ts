// A picture of a view: its title, its names and its canvas on the theme's ground.
//
// The one rule: it is what is on the screen, so it is drawn from it and nothing is loaded.
import type { Colors } from "../shared/theme";

export interface Shown {
  canvas: HTMLCanvasElement;
  title: string;
  caption: string;
  /** The series in the legend: name, value, colour, dash, whether it is hidden. */
  names: readonly { name: string; value: string; color: string; dash: readonly number[]; hidden: boolean }[];
  colors: Colors;
}

const PAD = 12;
const ROW = 20;

/** A PNG in device pixels. */
export async function png({ canvas, title, caption, names, colors }: Shown): Promise<Blob> {
  const ratio = devicePixelRatio;
  const width = canvas.width / ratio;
  const made = document.createElement("canvas");
  const ctx = made.getContext("2d")!;
  const font = (size: number, weight = 400): string => `${weight} ${size}px ${colors.font}`;
  // Laid out before it has a size: rows of names as they fit.
  ctx.font = font(12);
  const seen = names.filter((one) => !one.hidden);
  const places: { x: number; row: number }[] = [];
  let [x, row] = [0, 0];
  for (const { name, value } of seen) {
    const wide = 22 + ctx.measureText(`${name}  ${value}`).width;
    if (x > 0 && x + wide > width) [x, row] = [0, row + 1];
    places.push({ x, row });
    x += wide + 16;
  }
  const head = (title ? ROW + 4 : 0) + (seen.length ? (row + 1) * ROW : 0);
  made.width = Math.round((width + 2 * PAD) * ratio);
  made.height = Math.round((head + 2 * PAD) * ratio) + canvas.height;
  ctx.scale(ratio, ratio);
  ctx.fillStyle = colors.ground;
  ctx.fillRect(0, 0, made.width, made.height);
  ctx.translate(PAD, PAD);
  ctx.textBaseline = "middle";
  ctx.fillStyle = colors.text;
  if (title) {
    ctx.font = font(13, 600);
    ctx.fillText(title, 0, ROW / 2, width);
  }
  ctx.font = font(12);
  seen.forEach(({ name, value, color, dash }, index) => {
    const place = places[index]!;
    const y = (title ? ROW + 4 : 0) + place.row * ROW + ROW / 2;
    ctx.strokeStyle = color;
    ctx.lineWidth = 2;
    ctx.setLineDash([...dash]);
    ctx.beginPath();
    ctx.moveTo(place.x, y);
    ctx.lineTo(place.x + 16, y);
    ctx.stroke();
    ctx.fillStyle = colors.text;
    ctx.fillText(name, place.x + 22, y);
    ctx.fillStyle = colors.muted;
    ctx.fillText(value, place.x + 22 + ctx.measureText(`${name}  `).width, y);
  });
  ctx.fillStyle = colors.muted;
  ctx.font = font(11);
  ctx.fillText(caption, 0, head + 6);
  ctx.drawImage(canvas, 0, head, width, canvas.height / ratio);
  return new Promise((resolve, reject) =>
    made.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the browser made no picture"))), "image/png"),
  );
}
