// What a button copies, and a line of code with such a button: what to type next, where nothing came yet.
//
// The one rule: without a clipboard (plain http, an isolated frame) it is selected,
// one key away from a copy.

/** Copies `text`, which `shown` shows, and has the button say so in the place of its `word`; returns whether it did. */
export async function copy(text: string, shown: Node, button: Element, word = "Copy"): Promise<boolean> {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    done = false;
    getSelection()?.selectAllChildren(shown);
  }
  button.textContent = done ? "Copied" : "Selected";
  setTimeout(() => (button.textContent = word), 1500);
  return done;
}

/** Returns the line and its button. */
export function copyable(code: string): HTMLElement {
  const row = document.createElement("span");
  row.className = "nbrt-code";
  const text = document.createElement("code");
  text.title = code;
  // Where it does not fit a line it goes on after a bracket or within a name, not in the middle of a word.
  for (const part of code.split(/(?<=[(/])/)) text.append(part, document.createElement("wbr"));
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy ${code}`);
  button.addEventListener("click", () => void copy(code, text, button));
  row.append(text, button);
  return row;
}
