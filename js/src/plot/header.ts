// What a frame of a plot says, as nbrealtime/widgets/plots/part.py writes it.
import type { Frame } from "../shared/channel";
import type { Told } from "./overlay";
import type { Entry } from "./store";

export interface Header extends Frame, Told {
  /** A snapshot: everything from the beginning, with the names. */
  whole: boolean;
  /** Seconds. */
  window: number;
  /** The newest sample's time, and how many seconds ago it came. */
  newest: number | null;
  age: number | null;
  connected: boolean;
  reason: string;
  text: string;
  /** The server refused all topics. */
  refused?: boolean;
  /** Messages so far. */
  count: number;
  /** ms since the epoch. */
  closed?: number;
  topics?: string[];
  series?: { label: string; topic: string; field: string }[];
  data: Entry[];
  /** What the kernel still holds: the oldest and the newest time. */
  extent?: [number, number] | null;
  /** Set in the answer to a view that asked for a past range. */
  range?: { from: number; to: number; request: number };
}
