// What the rows of a heatmap are called: positions with round ticks, or names.
//
// Pure. The one rule: rows are equally high whatever their positions; ticks lie where their rows lie.
import { number, scaleFor } from "../shared/format";
import { valueTicks } from "../plot/ticks";

/** As the kernel says it: the first and the last position, or one each; or a name each. */
export interface Axis {
  positions?: number[];
  names?: string[];
  unit: string;
}

export interface Tick {
  /** 0 is the middle of the first row, rows − 1 that of the last. */
  row: number;
  label: string;
}

const NAME = 16;

/** Ticks for `rows` rows on so many pixels, and the unit that they share. */
export function rowTicks(axis: Axis, rows: number, pixels: number): { ticks: Tick[]; caption: string } {
  if (rows === 0) return { ticks: [], caption: axis.unit };
  if (axis.names) {
    const each = Math.max(1, Math.ceil((rows * NAME) / Math.max(1, pixels)));
    const ticks = axis.names.flatMap((label, row) => (row % each === 0 ? [{ row, label }] : []));
    return { ticks, caption: "" };
  }
  const positions = axis.positions ?? [0, rows - 1];
  if (positions.length === 2) {
    const [first, last] = positions as [number, number];
    if (rows === 1 || first === last) return { ticks: [{ row: 0, label: number(first) }], caption: axis.unit };
    const { at, labels, caption } = valueTicks(Math.min(first, last), Math.max(first, last), pixels, axis.unit);
    const ticks = at.map((position, i) => ({ row: ((position - first) / (last - first)) * (rows - 1) + 0, label: labels[i]! }));
    return { ticks, caption };
  }
  const scale = scaleFor(Math.max(...positions.map(Math.abs)), axis.unit);
  const most = Math.max(2, Math.floor(pixels / 28));
  const each = Math.max(1, Math.ceil(rows / most));
  const ticks = positions.flatMap((position, row) => (row % each === 0 ? [{ row, label: number(position / scale.factor) }] : []));
  return { ticks, caption: scale.unit };
}

/** What a row is called in a sentence. */
export function rowName(axis: Axis, rows: number, row: number): string {
  if (axis.names) return axis.names[row] ?? "";
  const positions = axis.positions ?? [0, rows - 1];
  const position = positions.length === 2 && rows > 1 ? positions[0]! + ((positions[1]! - positions[0]!) * row) / (rows - 1) : positions[row]!;
  const plain = axis.unit === "" && positions.length === 2 && Number.isInteger(position);
  return plain ? `row ${position}` : `${number(position)}${axis.unit ? ` ${axis.unit}` : ""}`;
}

/** Whether the first row is on top: names are read downwards, positions rise upwards. */
export function downwards(axis: Axis): boolean {
  if (axis.names) return true;
  const positions = axis.positions ?? [0, 1];
  return positions[0]! > positions[positions.length - 1]!;
}
