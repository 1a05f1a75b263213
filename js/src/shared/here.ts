// A word from a page that has a model but may show no view of it: its cell is scrolled out of sight.
//
// Without it the kernel would take such a page for a run that nobody watches, and put
// pictures where the plots are.
import type { Model } from "./channel";

/** Says on the hub of `model` that there is a page. Called once for each model, with a view of it or without. */
export async function here({ model }: { model: Model }): Promise<void> {
  try {
    const reference = String(model.get("hub")).replace("IPY_MODEL_", "");
    const hub = await model.widget_manager!.get_model(reference);
    hub.send?.({ type: "here" });
  } catch {
    // No kernel, and nobody to tell.
  }
}
