// A token, once: in a box with a Copy button, for as long as the kernel says, then "(shown once)".
//
// Collaborators: widgets/token.py, which answers a view's request as long as the token may be seen.
// The one rule: the token stands in this page's elements and nowhere else. It comes in a custom
// message, which no notebook saves, and is taken out of the page by the page's own clock, so that
// a kernel that has become busy or died cannot leave it standing.
import type { Model } from "./shared/channel";
import { dress } from "./shared/theme";
import { make, mark, say } from "./panels/dom";

interface Shown {
  type: "token";
  view: string;
  token: string;
  seconds: number;
}

interface Context {
  model: Model;
  el: HTMLElement;
}

function render({ model, el }: Context): () => void {
  const view = crypto.getRandomValues(new Uint32Array(2)).join("");
  const field = make("input", {
    class: "nbrt-field", type: "text", readonly: true, "aria-label": "Token", spellcheck: "false", autocomplete: "off",
    "data-lm-suppress-shortcuts": "true",
  });
  const copy = make("button", { class: "nbrt-button", type: "button", "aria-disabled": "true" }, "Copy");
  const title = make("span", { class: "nbrt-line" }, String(model.get("title") ?? "Token"));
  const left = make("span", { class: "nbrt-muted nbrt-left" });
  const voice = make("span", { class: "nbrt-voice", role: "status", "aria-live": "polite" });
  const root = make(
    "div",
    { class: "nbrt-token", role: "group", "aria-label": "Token", "data-state": "loading" },
    make("div", { class: "nbrt-head" }, title, left),
    make("div", { class: "nbrt-pair" }, field, copy),
    voice,
  );
  const theme = dress(root, () => {});
  el.append(root);

  let ends = 0;
  let clock: ReturnType<typeof setInterval> | undefined;
  let named: ReturnType<typeof setTimeout> | undefined;

  const hide = (): void => {
    clearInterval(clock);
    clock = undefined;
    field.value = "(shown once)";
    mark(root, "data-state", "hidden");
    mark(copy, "aria-disabled", "true");
    say(left, "");
  };
  const tick = (): void => {
    const seconds = Math.ceil((ends - performance.now()) / 1000);
    if (seconds <= 0) hide();
    else say(left, `shown for ${seconds} s`);
  };
  const receive = (content: Shown | { type: "hidden"; view?: string }): void => {
    if (content?.type === "hidden" && (content.view === undefined || content.view === view)) hide();
    if (content?.type !== "token" || content.view !== view) return;
    field.value = content.token;
    mark(root, "data-state", "shown");
    mark(copy, "aria-disabled", null);
    ends = performance.now() + content.seconds * 1000;
    clearInterval(clock);
    clock = setInterval(tick, 250);
    tick();
  };
  const tell = (word: string): void => {
    say(copy, word);
    say(voice, word === "Copied" ? "Token copied" : word);
    clearTimeout(named);
    named = setTimeout(() => say(copy, "Copy"), 2000);
  };

  copy.addEventListener("click", () => {
    if (copy.getAttribute("aria-disabled") === "true") return;
    void copied(field).then((done) => tell(done ? "Copied" : "Ctrl+C"));
  });
  field.addEventListener("focus", () => field.select());
  model.on("msg:custom", receive);
  model.send?.({ type: "show", view });

  return () => {
    model.off("msg:custom", receive);
    clearInterval(clock);
    clearTimeout(named);
    theme.close();
    field.value = "";
  };
}

/** Copies a field's text. The clipboard's interface exists in secure contexts only; selecting works everywhere. */
async function copied(field: HTMLInputElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    field.select();
    return document.execCommand("copy");
  }
}

export default { render };
