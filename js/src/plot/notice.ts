// What lies over an empty plot: what it waits for, why nothing comes, and what to type.
import { copyable } from "../shared/copyable";
import type { Status } from "./status";

/** Shows or hides the notice; `text` says why nothing can be drawn of what came. */
export function notify(notice: HTMLElement, status: Status, topics: readonly string[], text: string, known: boolean): void {
  const topic = topics[0] ?? "";
  const show = known && status.state === "empty";
  const key = show ? `${topic}\n${text}\n${status.text}` : "";
  if (notice.dataset.key === key) return;
  notice.dataset.key = key;
  notice.hidden = !show;
  notice.replaceChildren();
  if (!show) return;
  const line = (words: string, name: string): void => {
    const p = document.createElement("p");
    p.className = name;
    p.textContent = words;
    notice.append(p);
  };
  if (text) {
    line(text, "nbrt-plot-waiting");
    return;
  }
  line(`Waiting for ${topics.join(", ")}`, "nbrt-plot-waiting");
  if (status.text !== "waiting") line(status.text, "nbrt-plot-why");
  notice.append(copyable(`rt.publish(${JSON.stringify(topic)}, 21.5)`, "nbrt-plot-code"));
}
