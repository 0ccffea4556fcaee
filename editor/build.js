// Bundles the extension, and brings the files that the package shares with it.
const { copyFileSync } = require("node:fs");
const { join } = require("node:path");
const { buildSync } = require("esbuild");

buildSync({
  entryPoints: [join(__dirname, "src", "extension.js")],
  outfile: join(__dirname, "dist", "extension.js"),
  bundle: true,
  external: ["vscode"],
  format: "cjs",
  minify: true,
  platform: "node",
  target: "node18",
});
const above = join(__dirname, "..");
copyFileSync(join(above, "inception_dsl", "spec.schema.json"), join(__dirname, "spec.schema.json"));
copyFileSync(join(above, "LICENSE"), join(__dirname, "LICENSE"));
