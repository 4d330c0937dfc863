/** What the operations are about, in the order of the reference page; the longest path that fits counts. */
const AREAS: readonly { name: string; description: string; paths: readonly string[] }[] = [
  {
    name: "Tasks",
    description: "What is to be done, by whom, and what came of it.",
    paths: ["/api/agent/tasks", "/api/agent/queue"],
  },
  { name: "Backlogs", description: "Files of items, and how far each item is.", paths: ["/api/agent/backlogs"] },
  { name: "Status", description: "The whole at a glance.", paths: ["/api/agent"] },
  {
    name: "Runners",
    description: "Machines that claim tasks by this API, and the leases they hold.",
    paths: ["/api/agent/run-state", "/api/agent/runners"],
  },
  {
    name: "Fleet",
    description: "Who does the work, and what it leaves behind.",
    paths: ["/api/agent/providers", "/api/agent/workers", "/api/agent/cleanup"],
  },
  { name: "Telegram", description: "The bot.", paths: ["/api/agent/telegram"] },
  { name: "Friction", description: "What got in the way.", paths: ["/api/friction"] },
  { name: "Runtime", description: "What was called, how often and for how long.", paths: ["/api/runtime"] },
  { name: "Usage", description: "What providers have left, and whether they can be used.", paths: ["/api/automation"] },
  { name: "Service", description: "The service itself.", paths: ["/api"] },
];

/** The area of a path of the table. */
export function areaOf(path: string): string {
  const fits = AREAS.flatMap(({ name, paths }) => paths.map((start) => ({ name, start }))).filter(
    ({ start }) => path === start || path.startsWith(`${start}/`),
  );
  return fits.reduce((best, one) => (one.start.length > best.start.length ? one : best), { name: "Other", start: "" })
    .name;
}

/** Those areas that have a path, with what they are about. */
export function areas(paths: readonly string[]): { name: string; description: string }[] {
  const used = new Set(paths.map(areaOf));
  return AREAS.filter(({ name }) => used.has(name)).map(({ name, description }) => ({ name, description }));
}
