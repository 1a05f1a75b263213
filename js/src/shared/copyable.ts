// A line of code with a button that copies it: what to type next, where nothing came yet.
//
// The one rule: without a clipboard (plain http, an isolated frame) the code is selected,
// one key away from a copy.

/** Returns the line and its button in a span of class `name`. */
export function copyable(code: string, name: string): HTMLElement {
  const row = document.createElement("span");
  row.className = name;
  const text = document.createElement("code");
  text.textContent = code;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy ${code}`);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    } catch {
      const selection = getSelection();
      selection?.removeAllRanges();
      const all = document.createRange();
      all.selectNodeContents(text);
      selection?.addRange(all);
    }
  });
  row.append(text, button);
  return row;
}
