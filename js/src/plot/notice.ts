// What lies over an empty plot: what it waits for, why nothing comes, and what to type.
import { copyable } from "../shared/copyable";
import type { Status } from "./status";

/** Shows or hides the notice; `text` says why nothing can be drawn of what came. */
export function notify(notice: HTMLElement, status: Status, topics: readonly string[], text: string, known: boolean): void {
  const topic = topics[0] ?? "";
  const show = known && status.state === "empty";
  const key = show ? `${topics.join("\n")}\n\n${text}` : "";
  if (notice.dataset.key !== key) {
    notice.dataset.key = key;
    notice.hidden = !show;
    notice.replaceChildren();
    if (show && text) notice.append(line(text, "waiting"));
    else if (show) {
      const code = copyable(`rt.publish(${JSON.stringify(topic)}, 21.5)`, "nbrt-plot-code");
      notice.append(line(`Waiting for ${topics.join(", ")}`, "waiting"), line("", "why"), code);
    }
  }
  // Why nothing comes counts seconds: the button beside it stays, with the focus and what it says.
  const why = notice.querySelector<HTMLElement>(".nbrt-plot-why");
  if (why === null) return;
  const words = status.text === "waiting" ? "" : status.text;
  why.hidden = !words;
  if (why.textContent !== words) why.textContent = words;
}

function line(words: string, name: string): HTMLElement {
  const p = document.createElement("p");
  p.className = `nbrt-plot-${name}`;
  p.textContent = words;
  return p;
}
