// Bundles the page into ../src/viloapp_core/web/static and writes the licences of everything bundled.
//
//   node build.mjs            one build, minified
//   node build.mjs --watch    rebuild at each change, with source maps
//
// What ends up in the bundle is taken from esbuild's own record (the metafile), so that a dependency's
// licence cannot be forgotten: a bundled package without a licence text stops the build.

import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "..", "src", "viloapp_core", "web", "static");
const watch = process.argv.includes("--watch");

/** Folders under node_modules whose code is in the bundle, e.g. "@xterm/xterm". */
function bundledPackages(metafile) {
  const names = new Set();
  for (const output of Object.values(metafile.outputs)) {
    for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
      const match = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(input);
      if (match && bytesInOutput > 0) names.add(match[1]);
    }
  }
  return [...names].sort();
}

async function licenceText(name) {
  const folder = join(here, "node_modules", name);
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file) throw new Error(`${name} is bundled but has no licence file in ${folder}`);
  const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const text = (await readFile(join(folder, file), "utf8")).trim();
  return `${name} ${version} (${license})\n\n${text}\n`;
}

async function writeLicences(metafile) {
  const texts = await Promise.all(bundledPackages(metafile).map(licenceText));
  const rule = `\n${"-".repeat(80)}\n\n`;
  const head = "The workspace page contains the following packages.\n";
  await writeFile(join(out, "THIRD_PARTY_LICENSES"), [head, ...texts].join(rule));
}

const options = {
  absWorkingDir: here,
  entryPoints: { app: "src/main.ts" },
  outdir: out,
  bundle: true,
  // Chunks: the grammar of a language is fetched when a file of it is opened first.
  splitting: true,
  format: "esm",
  target: ["es2022"],
  chunkNames: "chunks/[name]-[hash]",
  jsx: "automatic",
  jsxImportSource: "preact",
  minify: !watch,
  sourcemap: watch,
  legalComments: "none",
  charset: "utf8",
  metafile: true,
  logLevel: "warning",
  plugins: [
    {
      name: "page",
      setup(build) {
        build.onEnd(async ({ errors, metafile }) => {
          if (errors.length > 0) return;
          await copyFile(join(here, "src", "index.html"), join(out, "index.html"));
          await copyFile(join(here, "src", "icon.svg"), join(out, "icon.svg"));
          await writeLicences(metafile);
        });
      },
    },
  ],
};

// What plugins' own pages load, in frames that get nothing else of the workspace's.
const frame = {
  ...options,
  entryPoints: [
    { in: "src/frame/viloapp.ts", out: "viloapp" },
    { in: "src/frame/viloapp.css", out: "viloapp" },
  ],
  outdir: join(out, "frame"),
  splitting: false,
  plugins: [],
};

await rm(join(out, "chunks"), { recursive: true, force: true });
await mkdir(out, { recursive: true });
if (watch) {
  await (await esbuild.context(options)).watch();
  await (await esbuild.context(frame)).watch();
} else {
  await esbuild.build(options);
  await esbuild.build(frame);
}
