// Builds the page assets: static/src/ -> static/dist/portal/ (git-ignored).
//
//   js/*.js   each top-level file is an entry module, bundled with what it imports
//   css/*.css likewise
//   img/, fonts/  copied as they are
//
// Everything is built in a fresh folder and swapped in at the end, so that a failed build
// leaves the last good one in place.

import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import * as esbuild from "esbuild";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const source = path.join(root, "static", "src");
const target = path.join(root, "static", "dist", "portal");
const fresh = `${target}.new`;

function entries(folder, extension) {
  const full = path.join(source, folder);
  if (!existsSync(full)) return [];
  return readdirSync(full)
    .filter((name) => name.endsWith(extension))
    .map((name) => path.join(full, name));
}

const options = {
  outbase: source,
  outdir: fresh,
  bundle: true,
  minify: true,
  logLevel: "warning",
  // Images and fonts are copied beside the bundles; Django's manifest storage rewrites the URLs.
  external: ["*.svg", "*.png", "*.webp", "*.woff2"],
};

rmSync(fresh, { recursive: true, force: true });
mkdirSync(fresh, { recursive: true });
try {
  await Promise.all([
    esbuild.build({
      ...options,
      entryPoints: entries("js", ".js"),
      format: "esm",
      target: ["es2022"],
      legalComments: "linked",
    }),
    esbuild.build({
      ...options,
      entryPoints: entries("css", ".css"),
      target: ["chrome120", "firefox121", "safari17"],
    }),
  ]);
} catch {
  process.exit(1); // esbuild has printed where and why
}
for (const folder of ["img", "fonts"]) {
  const from = path.join(source, folder);
  if (existsSync(from)) cpSync(from, path.join(fresh, folder), { recursive: true });
}
rmSync(target, { recursive: true, force: true });
renameSync(fresh, target);
