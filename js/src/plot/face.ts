// The elements of a plot: title, legend and state above, and the stage that holds the rest.
//
// The one rule: they are all there from the beginning, so that nothing moves between states.

let ids = 0;

export interface Face {
  title: HTMLElement;
  status: HTMLElement;
  statusText: HTMLElement;
  /** Where the canvas is, and what lies over it. */
  stage: HTMLElement;
  /** The unit, above the value axis. */
  caption: HTMLElement;
  notice: HTMLElement;
}

/** Fills `root`; the legend is somebody else's element. */
export function face(root: HTMLElement, legend: HTMLElement): Face {
  root.className = "nbrt-plot";
  root.setAttribute("role", "group");
  root.setAttribute("aria-roledescription", "live plot");
  root.dataset.state = "empty";
  const title = part("div", "nbrt-plot-title");
  title.id = `nbrt-plot-${++ids}`;
  const status = part("span", "nbrt-plot-status");
  status.innerHTML = `<span class="nbrt-dot" aria-hidden="true"></span>`;
  const statusText = document.createElement("span");
  status.append(statusText);
  const top = part("div", "nbrt-plot-top");
  top.append(legend, status);
  const stage = part("div", "nbrt-plot-stage");
  const notice = part("div", "nbrt-plot-notice");
  notice.hidden = true;
  const caption = part("span", "nbrt-plot-caption");
  stage.append(caption, notice);
  root.append(title, top, stage);
  return { title, status, statusText, stage, caption, notice };
}

/** Hides or shows. A browser styles the page anew also when it is told what is so already. */
export function hide(node: HTMLElement, hidden: boolean): void {
  if (node.hidden !== hidden) node.hidden = hidden;
}

/** A new element with a class. */
export function part<K extends keyof HTMLElementTagNameMap>(tag: K, name: string): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  node.className = name;
  return node;
}
