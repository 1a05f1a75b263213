// Builds the front end: every js/src/<name>.ts becomes nbrealtime/static/<name>.js, and a
// <name>.css beside it becomes <name>.css.
//
//   node build.mjs           the bundles, minified
//   node build.mjs --tests   js/test/*.test.ts into js/build/, for `node --test`
//
// One bundle per widget class, because a widget's `_esm` is sent and evaluated once per
// *instance*: nobody pays for a plot to see a badge. The esbuild JS API and not its
// command, because the command is a platform binary that npm's blocked install scripts
// may not have put in place.
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, "src");
const target = join(here, "..", "nbrealtime", "static");

async function files(directory, ending) {
  const names = await readdir(directory);
  return names.filter((name) => name.endsWith(ending)).map((name) => join(directory, name));
}

const common = { bundle: true, format: "esm", target: "es2022", logLevel: "warning", charset: "utf8" };

if (process.argv.includes("--tests")) {
  await rm(join(here, "build"), { recursive: true, force: true });
  await build({
    ...common,
    entryPoints: await files(join(here, "test"), ".test.ts"),
    outdir: join(here, "build"),
    outExtension: { ".js": ".mjs" },
    platform: "node",
    sourcemap: "inline",
  });
} else {
  await mkdir(target, { recursive: true });
  const styles = await files(source, ".css");
  const scripts = await files(source, ".ts");
  // An entry imports no CSS: anywidget takes it separately, as `_css`.
  const { metafile } = await build({
    ...common,
    entryPoints: [...scripts, ...styles],
    outdir: target,
    minify: true,
    metafile: true,
    legalComments: "none",
  });
  let total = 0;
  for (const file of Object.keys(metafile.outputs).sort()) {
    const { size } = await stat(join(process.cwd(), file));
    total += size;
    console.log(`${(size / 1024).toFixed(1).padStart(7)} kB  ${file.replace(/^.*static\//, "")}`);
  }
  console.log(`${(total / 1024).toFixed(1).padStart(7)} kB  together`);
}
