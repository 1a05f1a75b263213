// What a hand can do with a plot, whatever it does it with: the keys, the pointer or the wheel.
//
// Pure: a key becomes an action here, or none; view.ts carries it out.

export type Axis = "x" | "y";

export type Action =
  /** Stands still while a drag selects: what is dragged over must not move away below it. */
  | { do: "hold" }
  /** The drag selected nothing: goes on as before. */
  | { do: "drop" }
  /** Shows what lies between these places of an axis; null leaves that axis as it is. */
  | { do: "select"; x: readonly [number, number] | null; y: readonly [number, number] | null }
  | { do: "zoom"; axis: Axis; place: number; factor: number }
  | { do: "pan"; axis: Axis; by: number }
  /** Shows the newest again, and goes with it. */
  | { do: "follow" }
  | { do: "pause" }
  /** Puts the crosshair to places of both axes. */
  | { do: "point"; x: number; y: number }
  /** Moves the crosshair by samples. */
  | { do: "step"; by: number }
  | { do: "unpoint" };

export interface Key {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

const IN = 1 / 1.5;

/** What a key does while the plot has the focus; null: it is the host's. */
export function actionOf({ key, shiftKey, ctrlKey, altKey, metaKey }: Key): Action | null {
  if (ctrlKey || altKey || metaKey) return null;
  switch (key) {
    case "ArrowLeft":
      return shiftKey ? { do: "step", by: -1 } : { do: "pan", axis: "x", by: -0.1 };
    case "ArrowRight":
      return shiftKey ? { do: "step", by: 1 } : { do: "pan", axis: "x", by: 0.1 };
    case "ArrowUp":
      return shiftKey ? { do: "zoom", axis: "y", place: 0.5, factor: IN } : { do: "pan", axis: "y", by: 0.1 };
    case "ArrowDown":
      return shiftKey ? { do: "zoom", axis: "y", place: 0.5, factor: 1 / IN } : { do: "pan", axis: "y", by: -0.1 };
    case "PageUp":
      return { do: "pan", axis: "x", by: -0.9 };
    case "PageDown":
      return { do: "pan", axis: "x", by: 0.9 };
    case "+":
    case "=":
      return { do: "zoom", axis: "x", place: 0.5, factor: IN };
    case "-":
    case "_":
      return { do: "zoom", axis: "x", place: 0.5, factor: 1 / IN };
    case "Home":
    case "0":
    case "Escape":
      return { do: "follow" };
    case " ":
      return { do: "pause" };
    default:
      return null;
  }
}
