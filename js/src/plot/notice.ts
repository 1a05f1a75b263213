// What lies over an empty plot: what it waits for, why nothing comes, and what to type.
//
// The rule: the reason is here and nowhere else, because here is room for it. A screen reader hears a new one once, and
// not each second that it counts.
import { capital } from "../panels/dom";
import { copyable } from "../shared/copyable";
import { part } from "./face";
import type { Header } from "./header";
import type { Status } from "./status";

/** Shows or hides the notice over what `head` says; null: nothing was heard yet. */
export function notify(notice: HTMLElement, status: Status, topics: readonly string[], head: Header | null): void {
  const topic = topics[0] ?? "";
  const show = head !== null && status.state === "empty";
  const { text = "", refused = false } = head ?? {};
  const key = show ? `${topics.join("\n")}\n\n${text}${refused}` : "";
  if (notice.dataset.key !== key) {
    notice.dataset.key = key;
    notice.hidden = !show;
    notice.replaceChildren();
    if (!show) return;
    const what = refused ? "The server refused" : "Waiting for";
    notice.append(line(text || `${what} ${topics.join(", ")}`, "waiting"), line("", "why"));
    if (!text && !refused) notice.append(copyable(`rt.publish(${JSON.stringify(topic)}, 21.5)`));
  }
  // What counts seconds does not make the button anew: it keeps the focus and what it says.
  const why = notice.querySelector<HTMLElement>(".nbrt-plot-why");
  const words = capital(status.why ?? "", topics);
  if (why === null || why.textContent === words) return;
  const uncounted = words.replace(/\d+/g, "");
  why.setAttribute("aria-live", uncounted === why.dataset.said ? "off" : "polite");
  why.dataset.said = uncounted;
  why.textContent = why.title = words;
}

function line(words: string, name: string): HTMLElement {
  const p = part("p", `nbrt-plot-${name}`);
  p.textContent = p.title = words;
  return p;
}
