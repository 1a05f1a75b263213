// What a frame of a plot says, as nbrealtime/widgets/plotpart.py writes it.
import type { Frame } from "../shared/channel";
import type { Entry } from "./store";

export interface Header extends Frame {
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
  /** Messages so far. */
  count: number;
  /** ms since the epoch. */
  closed?: number;
  topics?: string[];
  series?: { label: string; topic: string; field: string }[];
  data: Entry[];
}
