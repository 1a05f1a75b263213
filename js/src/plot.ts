// LivePlot's front end: what anywidget calls when a plot is shown somewhere.
//
// Collaborators: plot/view.ts is the view. The one rule: whatever `render` began, the
// function that it returns ends.
import type { Model } from "./shared/channel";
import { here } from "./shared/here";
import { PlotView } from "./plot/view";

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const view = new PlotView(model, el);
  view.connect().catch((error: unknown) => console.error("nbrealtime: no way to the kernel:", error));
  return () => view.close();
}

function initialize(context: { model: Model }): void {
  void here(context);
}

export default { initialize, render };
