import Table from "cli-table3";
import { api } from "./api.ts";
import { claims } from "./claims.ts";
import { item } from "./item.ts";
import { reads } from "./reads.ts";
import { requests } from "./requests.ts";
import { closeAll, type Row } from "./support.ts";
import { tasks } from "./tasks.ts";

/**
 * DESIGN 9's figures on this machine: `npm run bench -- [--full] [--only tasks,item,reads,api,requests,claims] [--calls]`. A figure is not a
 * test: a busy machine misses goals. Ends with 0 whatever they are.
 */
const args = process.argv.slice(2);
const only = args.includes("--only") ? (args[args.indexOf("--only") + 1] ?? "").split(",") : [];
const SECTIONS: Record<string, () => Promise<Row[]>> = {
  tasks,
  item,
  reads: () => reads(args.includes("--full")),
  requests,
  api: () => api(args.includes("--full")),
  claims,
};

const table = new Table({
  head: ["What", "Goal", "Figure", "", "How it was got"],
  colWidths: [38, 22, 40, 8, 52],
  wordWrap: true,
  style: { head: [], border: [] },
});
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => void closeAll().finally(() => process.exit(1)));
try {
  for (const [name, section] of Object.entries(SECTIONS)) {
    if (only.length > 0 && !only.includes(name)) continue;
    process.stderr.write(`${name} …\n`);
    for (const { what, goal, figure, ok, how } of await section())
      table.push([what, goal, figure, ok === undefined ? "" : ok ? "met" : "missed", how]);
  }
} finally {
  await closeAll();
}
console.log(table.toString());
