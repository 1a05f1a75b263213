// Whether the kernel behind a widget lives, as the host knows it.
//
// A kernel that was restarted, has died or was shut down says no goodbye, and silence takes five
// seconds to tell: so long would a panel go on saying "Live". The host knows at once, and says so of
// every model that it holds. The one that it hands to a widget's module is not such a model; the hub is.
//
// The one rule: where a host says nothing of it, an ended kernel is a silent one.
import type { Model } from "./channel";

/** What a view is in that was told of so many seconds without a word, 0 of none, instead of the `state` that it heard last. */
export function stateOf<S extends string>(seconds: number, state: S): S | "silent" | "ended" {
  if (seconds === Number.POSITIVE_INFINITY) return "ended";
  return seconds > 0 ? "silent" : state;
}

interface Known extends Model {
  comm_live?: boolean;
}

const CHANGED = "comm_live_update";

/** Beyond this many seconds without a word a kernel is not merely between two keep-alives. */
export const SILENT_SECONDS = 5;

/** Why nothing is heard of a kernel that has been silent for so many seconds, `Infinity` if it has ended; "" while it is heard. */
export function unheard(seconds: number): string {
  if (seconds === Number.POSITIVE_INFINITY) return "kernel has ended, run the cell again";
  return seconds >= SILENT_SECONDS ? "kernel is not answering" : "";
}

export class Life {
  #hub: Known | null = null;
  #over = false;

  /** `changed` is called when the kernel has ended, or is there again. */
  constructor(
    model: Model,
    readonly changed: () => void,
  ) {
    this.#know(model).catch(() => {}); // whoever joins the channel looks for the same model, and says what is wrong
  }

  /** Whether the kernel will never speak again. */
  get ended(): boolean {
    return this.#hub?.comm_live === false;
  }

  /** The seconds without a word: those that were counted, or `Infinity` of a kernel that has ended. */
  silence(counted: number): number {
    return this.ended ? Number.POSITIVE_INFINITY : counted;
  }

  close(): void {
    this.#over = true;
    this.#hub?.off(CHANGED, this.changed);
  }

  async #know(model: Model): Promise<void> {
    const reference = String(model.get("hub")).replace("IPY_MODEL_", "");
    const hub = ((await model.widget_manager?.get_model(reference)) ?? null) as Known | null;
    if (hub === null || this.#over) return;
    this.#hub = hub;
    hub.on(CHANGED, this.changed);
    if (this.ended) this.changed();
  }
}
