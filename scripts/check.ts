import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Types, lint, format and boundaries side by side: `npm run check`. Each says what it found when it is done; one that fails fails all. */

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** The longest first; each uses one core. */
const CHECKS = ["lint:rules", "types", "lint:format", "boundaries"];

/** Runs one of the package's scripts to its end; whether it found nothing. */
function check(name: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--run", name], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (said += text));
    child.on("error", reject);
    child.on("close", (code) => {
      process.stdout.write(`${code === 0 ? "ok    " : "FAILED"} ${name}\n${code === 0 ? "" : said}`);
      resolve(code === 0);
    });
  });
}

const found = await Promise.all(CHECKS.map(check));
process.exitCode = found.every(Boolean) ? 0 : 1;
