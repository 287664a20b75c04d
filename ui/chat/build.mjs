// Builds the chat page and the embed script into the Python package. With --check it builds into a temporary
// folder and compares, so that the committed bundle can't drift from its source.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const here = dirname(fileURLToPath(import.meta.url));
const committed = resolve(here, "../../frontdesk/web/static");
const isCheck = process.argv.includes("--check");
const outDir = isCheck ? mkdtempSync(join(tmpdir(), "frontdesk-chat-")) : committed;
const bundles = [
  { entry: "src/main.ts", name: "chat.js" },
  { entry: "embed/webchat.ts", name: "webchat.js" },
];

for (const { entry, name } of bundles) {
  await build({
    root: here,
    configFile: false,
    logLevel: "warn",
    build: {
      outDir,
      emptyOutDir: false,
      target: "es2022",
      modulePreload: false,
      lib: { entry: resolve(here, entry), formats: ["iife"], name: "FrontdeskChat", fileName: () => name },
      rolldownOptions: { output: { assetFileNames: "chat[extname]" } },
      minify: "oxc",
      cssMinify: true,
    },
  });
}

if (isCheck) {
  const stale = ["chat.js", "chat.css", "webchat.js"].filter(
    (name) => !readFileSync(join(outDir, name)).equals(readFileSync(join(committed, name))),
  );
  rmSync(outDir, { recursive: true });
  if (stale.length) {
    console.error(`frontdesk/web/static is not what ui/chat builds: ${stale.join(", ")}. Run: npm --prefix ui run build`);
    process.exit(1);
  }
}
