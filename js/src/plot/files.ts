// A view's picture and table, as files and on the clipboard: what the menu's items do.
//
// Collaborators: image.ts and csv.ts make them, save.ts lets them out; hands.ts has the menu.
//
// The one rule: it is what is in view, no more and no less.
import type { Link, Model } from "../shared/channel";
import type { Sight } from "./crosshair";
import { csv, fileName } from "./csv";
import type { Item } from "./menu";
import { download, throughKernel, writeBeside } from "./save";

export interface Source {
  model: Model;
  link(): Link | null;
  sight(): Sight | null;
  picture(): Promise<Blob>;
}

type Format = "png" | "csv";

/** A note comes after so long. */
const BUSY_MS = 300;

/** The menu's items. */
export function files(source: Source): Item[] {
  return [
    { name: "Save as PNG", run: (say) => save(source, "png", say) },
    { name: "Save as CSV", run: (say) => save(source, "csv", say) },
    { name: "Copy image", run: () => copy(source, "png") },
    { name: "Copy data as CSV", run: () => copy(source, "csv") },
  ];
}

function table({ stores, labels, x }: Sight): string {
  const kept = stores.map((store, index) => ({ store, label: labels[index]! })).filter(({ store }) => store.end > store.start);
  return csv(kept.map(({ label }) => label), kept.map(({ store }) => store), x[0], x[1]);
}

async function save(source: Source, format: Format, say: (words: string) => void): Promise<string> {
  const sight = source.sight();
  if (sight === null) return "Nothing to save yet";
  const title = source.model.get("title") || sight.labels.slice(0, 3).join(" ");
  const name = fileName(title, sight.x[1], format);
  const blob = format === "png" ? await source.picture() : new Blob([table(sight)], { type: "text/csv;charset=utf-8" });
  if (!throughKernel()) {
    download(name, blob);
    return `Saved ${name}`;
  }
  const waiting = setTimeout(() => say("Kernel busy, saved when it has time"), BUSY_MS);
  try {
    const written = await writeBeside(source.model, source.link()?.view ?? "", name, format, blob);
    return `Saved beside the notebook: ${written}`;
  } finally {
    clearTimeout(waiting);
  }
}

async function copy(source: Source, format: Format): Promise<string> {
  const sight = source.sight();
  if (sight === null) return "Nothing to copy yet";
  try {
    if (format === "csv") await navigator.clipboard.writeText(table(sight));
    else await navigator.clipboard.write([new ClipboardItem({ "image/png": source.picture() })]);
  } catch {
    return "This page may not copy; save it instead";
  }
  return "Copied";
}
