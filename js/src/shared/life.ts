// Whether the kernel behind a widget lives, as the host knows it.
//
// A kernel that was restarted, has died or was shut down says no goodbye, and silence takes five
// seconds to tell: so long would a panel go on saying "Live". The host knows at once, and says so of
// every model that it holds. The one that it hands to a widget's module is not such a model; the hub is.
//
// The one rule: where a host says nothing of it, an ended kernel is a silent one.
import type { Model } from "./channel";

interface Known extends Model {
  comm_live?: boolean;
}

const CHANGED = "comm_live_update";

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
