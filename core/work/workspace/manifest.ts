import { parse, scriptsOf } from "./overlay.ts";
import type { Reader } from "./show.ts";

/** How a repository says it is tested. */
export type Tests = { kind: "npm" | "make" | "other"; command: string[] };

/** The test command that a repository's manifest names, or null when none does. */
export async function findTests(read: Reader): Promise<Tests | null> {
  const script = scriptsOf(parse((await read("package.json")) ?? ""))["test"]?.trim();
  // The second is what `npm init` writes.
  if (script && !/^echo .*no test specified.*exit 1$/.test(script)) return { kind: "npm", command: ["npm", "test"] };
  for (const file of ["pyproject.toml", "pytest.ini", "conftest.py", "tests/conftest.py"]) {
    if ((await read(file)) !== null) return { kind: "other", command: ["python3", "-m", "pytest"] };
  }
  if ((await read("go.mod")) !== null) return { kind: "other", command: ["go", "test", "./..."] };
  if ((await read("Cargo.toml")) !== null) return { kind: "other", command: ["cargo", "test"] };
  if (/^test\s*:(?!=)/m.test((await read("Makefile")) ?? "")) return { kind: "make", command: ["make", "test"] };
  return null;
}
