// The theme: one set of --nbrt-* variables for every widget, whatever the host.
//
//     const theme = dress(root, redraw);   // sets the variables on `root`, calls redraw() on a change
//     theme.colors().text                  // resolved, for a canvas
//     theme.dark                           // whether the ground is dark
//     theme.close();
//
// CSS uses the variables alone: --nbrt-ground, --nbrt-text, --nbrt-muted, --nbrt-line (a
// hairline), --nbrt-accent, --nbrt-good, --nbrt-warn, --nbrt-bad, --nbrt-font,
// --nbrt-mono, and --nbrt-series-1 … -8. They are mapped from --jp-*, then --vscode-*,
// then what the page is painted with, then a `theme` or `data-theme` of <html>, as Colab
// has it, then prefers-color-scheme. `root` also gets data-theme="light|dark".
//
// The one rule: light or dark is decided by the ground's own luminance, not by a host's
// theme name, so that series keep their contrast in a theme nobody has heard of.

export const LIGHT = ["#1431EC", "#CB8216", "#0EA367", "#5C358D", "#5A4713", "#138FEA", "#8A0B49", "#8B8B9C"];
export const DARK = ["#8BA5F6", "#EB5A17", "#1FED70", "#8F5EF2", "#E1CDAD", "#3DEFEE", "#BD6E66", "#7B7B8E"];

/** Eight colours in three dashes: solid, 6-3, 2-3. */
export const DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 3]];

export interface Colors {
  ground: string;
  text: string;
  muted: string;
  accent: string;
  good: string;
  warn: string;
  bad: string;
  font: string;
  series: readonly string[];
}

export interface Theme {
  readonly dark: boolean;
  colors(): Colors;
  close(): void;
}

/** The first variable of a host that is set, as it is written there. */
function host(style: CSSStyleDeclaration, ...names: string[]): string {
  for (const name of names) {
    const value = style.getPropertyValue(name).trim();
    if (value) return value;
  }
  return "";
}

/** What lies under a widget: as the host calls it, else as it is painted. */
function under(root: HTMLElement, style: CSSStyleDeclaration): string {
  const named = host(style, "--jp-layout-color0", "--vscode-editor-background");
  // Voilà has JupyterLab's names, and paints its outputs with another of them.
  return named && !document.body.hasAttribute("data-voila") ? named : painted(root) || named;
}

/** The ground of the nearest element around it that has one. */
function painted(root: HTMLElement): string {
  for (let node = root.isConnected ? root.parentElement : document.body; node; node = node.parentElement) {
    const color = getComputedStyle(node).backgroundColor;
    if (luminance(color) !== null) return color;
  }
  return "";
}

/** Whether the page says of itself that it is dark; null where it says nothing. */
function declared(): boolean | null {
  const html = document.documentElement;
  const name = html.getAttribute("theme") ?? html.dataset.theme;
  return name === "dark" ? true : name === "light" ? false : null;
}

const probe = typeof document === "undefined" ? null : document.createElement("canvas").getContext("2d", { willReadFrequently: true });

/** Relative luminance of any CSS colour, after WCAG 2; null for what is no colour or transparent. */
export function luminance(color: string): number | null {
  if (!probe || !color) return null;
  probe.clearRect(0, 0, 1, 1);
  probe.fillStyle = "rgba(0,0,0,0)";
  probe.fillStyle = color;
  probe.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = probe.getImageData(0, 0, 1, 1).data as unknown as number[];
  if (a! < 128) return null;
  const linear = (v: number): number => (v <= 10 ? v / 3294 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(r!) + 0.7152 * linear(g!) + 0.0722 * linear(b!);
}

/** `color` at `alpha`, as a canvas takes it. */
export function fade(color: string, alpha: number): string {
  if (!probe) return color;
  probe.clearRect(0, 0, 1, 1);
  probe.fillStyle = color;
  probe.fillRect(0, 0, 1, 1);
  const [r, g, b] = probe.getImageData(0, 0, 1, 1).data as unknown as number[];
  return `rgba(${r}, ${g}, ${b}, ${alpha})`;
}

export function dress(root: HTMLElement, changed: () => void): Theme {
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  let dark = false;
  let colors: Colors;
  let signature = "";

  const read = (): void => {
    const style = getComputedStyle(document.body);
    const ground = under(root, style);
    const light = luminance(ground);
    dark = light === null ? (declared() ?? scheme.matches) : light < 0.2;
    const series = dark ? DARK : LIGHT;
    colors = {
      ground: ground || (dark ? "#111111" : "#ffffff"),
      text: host(style, "--jp-content-font-color1", "--vscode-editor-foreground") || (dark ? "#e6e6e6" : "#1f1f1f"),
      muted: dark ? "#a3a3ad" : "#5f5f6b",
      accent: host(style, "--jp-brand-color1", "--vscode-focusBorder") || series[0]!,
      good: dark ? "#1FED70" : "#0B7F50",
      warn: dark ? "#F0A048" : "#A05E00",
      bad: dark ? "#FF8A80" : "#B3261E",
      font:
        host(style, "--jp-ui-font-family", "--vscode-font-family") ||
        "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif",
      series,
    };
    const mono = host(style, "--jp-code-font-family", "--vscode-editor-font-family") || "ui-monospace, monospace";
    const next = JSON.stringify([dark, colors, mono]);
    if (next === signature) return;
    const first = signature === "";
    signature = next;
    root.dataset.theme = dark ? "dark" : "light";
    const set = (name: string, value: string): void => root.style.setProperty(`--nbrt-${name}`, value);
    for (const name of ["ground", "text", "muted", "accent", "good", "warn", "bad", "font"] as const) {
      set(name, colors[name]);
    }
    set("mono", mono);
    set("line", `color-mix(in srgb, ${colors.text} 12%, transparent)`);
    set("hover", `color-mix(in srgb, ${colors.text} 8%, transparent)`);
    series.forEach((color, index) => set(`series-${index + 1}`, color));
    if (!first) changed();
  };
  read();

  // Hosts switch themes by attributes and classes on <body> or <html>, and by style
  // sheets that load later: a change is looked at when it is made and after it settled.
  let settle: number | undefined;
  const look = (): void => {
    read();
    clearTimeout(settle);
    settle = setTimeout(read, 400) as unknown as number;
  };
  // What is painted around a widget is known once it is in the page.
  if (!root.isConnected) settle = setTimeout(read, 400) as unknown as number;
  const watcher = new MutationObserver(look);
  for (const node of [document.body, document.documentElement]) {
    watcher.observe(node, { attributes: true, attributeFilter: ["class", "style", "data-jp-theme-name", "data-jp-theme-light", "data-vscode-theme-kind", "data-theme", "theme"] });
  }
  watcher.observe(document.head, { childList: true });
  scheme.addEventListener("change", look);
  const fonts = (): void => changed();
  document.fonts?.addEventListener?.("loadingdone", fonts);
  // devicePixelRatio has no event: a media query on the present value ends when it changes.
  let ratio: MediaQueryList;
  const ratioChanged = (): void => {
    watchRatio();
    changed();
  };
  const watchRatio = (): void => {
    ratio?.removeEventListener("change", ratioChanged);
    ratio = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    ratio.addEventListener("change", ratioChanged);
  };
  watchRatio();

  return {
    get dark() {
      return dark;
    },
    colors: () => colors,
    close: () => {
      clearTimeout(settle);
      watcher.disconnect();
      scheme.removeEventListener("change", look);
      ratio.removeEventListener("change", ratioChanged);
      document.fonts?.removeEventListener?.("loadingdone", fonts);
    },
  };
}
