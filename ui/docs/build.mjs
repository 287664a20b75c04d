// Brings the API documentation's viewer from its package into the Python package. With --check it compares.
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const committed = resolve(here, "../../frontdesk/web/static/docs");
const viewer = resolve(here, "../node_modules/swagger-ui-dist");
const files = [
  [viewer, "swagger-ui-bundle.js"],
  [viewer, "swagger-ui.css"],
  [viewer, "LICENSE"],
  [viewer, "NOTICE"],
  [here, "start.js"],
];

if (process.argv.includes("--check")) {
  const stale = files.filter(([from, name]) => !readFileSync(join(from, name)).equals(readFileSync(join(committed, name))));
  if (stale.length) {
    console.error(`frontdesk/web/static/docs is stale: ${stale.map(([, name]) => name).join(", ")}. Run: npm --prefix ui run build`);
    process.exit(1);
  }
} else {
  mkdirSync(committed, { recursive: true });
  for (const [from, name] of files) copyFileSync(join(from, name), join(committed, name));
}
