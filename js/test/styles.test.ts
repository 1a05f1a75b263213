// Every bundle brings its own style sheet, and all of them hold in the whole page: a rule without its widget's root
// would dress the others, too.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const ROOT = /^(?::is\((?:\.nbrt-[a-z]+(?:, )?)+\)|\.nbrt-(?:alerts|badge|card|gauge|heatmap|log|presence|publish|stream|table|tile|token)(?![\w-]))/;
/** What all panels share, and the plot, whose names are its own. */
const FREE = /(?:panels\/panel|shared\/copyable|^plot|plot\/hands)\.css$/;

function selectors(css: string): string[] {
  const bare = css.replace(/\/\*[^]*?\*\//g, "").replace(/@import[^;]*;/g, "").replace(/@keyframes[^{]*\{(?:[^{}]*\{[^}]*\})*\s*\}/g, "");
  return [...bare.matchAll(/([^{}]+)\{/g)]
    .flatMap(([, found]) => found!.split(/,(?![^(]*\))/))
    .map((one) => one.trim())
    .filter((one) => !one.startsWith("@"));
}

test("a widget's rules are about that widget alone", () => {
  const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".css") && !FREE.test(file));
  assert.ok(files.length > 8);
  for (const file of files) {
    const loose = selectors(readFileSync(`src/${file}`, "utf8")).filter((one) => !ROOT.test(one));
    assert.deepEqual(loose, [], file);
  }
});
