/**
 * The five floors. A room imports lower floors and, on its own floor, only rooms to its left in the list, always through
 * their `index.ts`. docs/ARCHITECTURE.md says why.
 */
const floors = {
  ground: [
    "errors",
    "clock",
    "instant",
    "id",
    "log",
    "json",
    "mask",
    "config",
    "store",
    "events",
    "workflow",
    "process",
    "deps",
  ],
  work: ["task", "runner", "workspace", "provider", "spend", "friction", "backlog", "telemetry", "attempt", "metrics"],
  flow: ["executor", "routing", "prompt", "review", "worker", "project-manager", "pipeline"],
  watch: ["monitor", "notify", "heal", "effectiveness", "meta-questions", "status"],
  improve: ["goal", "experiment", "coverage", "improvement"],
};
const names = Object.keys(floors);

const upward = names.map((floor, i) => ({
  name: `upward-from-${floor}`,
  comment: "A room never imports a floor above its own.",
  severity: "error",
  from: { path: `^core/${floor}/` },
  to: { path: `^core/(${names.slice(i + 1).join("|") || "nothing"})/` },
}));

const sideways = names.flatMap((floor) =>
  floors[floor].map((room, i) => ({
    name: `sideways-from-${floor}-${room}`,
    comment: "On its own floor a room imports only rooms to its left.",
    severity: "error",
    from: { path: `^core/${floor}/${room}(/|\\.ts$)` },
    to: { path: `^core/${floor}/(${floors[floor].slice(i + 1).join("|") || "nothing"})(/|\\.ts$)` },
  })),
);

module.exports = {
  forbidden: [
    ...upward,
    ...sideways,
    {
      name: "core-knows-no-doors",
      severity: "error",
      from: { path: "^core/" },
      to: { path: "^(functions|test)/" },
    },
    {
      name: "core-knows-no-http-server-and-no-lambda",
      severity: "error",
      from: { path: "^core/" },
      to: { path: "node_modules/(hono|@hono|aws-local-stepfunctions|@types/aws-lambda)/" },
    },
    {
      name: "client-stands-alone",
      comment: "It is packed for programs that have nothing else of ours.",
      severity: "error",
      from: { path: "^client/" },
      to: { path: "^(core|functions|scripts|test)/" },
    },
    {
      name: "through-the-index",
      comment: "A room is entered by its index.ts.",
      severity: "error",
      from: { path: "^(core|functions)/([^/]+)/([^/]+)" },
      to: { path: "^core/[^/]+/[^/]+/", pathNot: ["^core/[^/]+/[^/]+/index\\.ts$", "^core/$2/$3/"] },
    },
    {
      name: "no-circles",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "no-unknown-room",
      comment: "A new room takes its place in the list above first.",
      severity: "error",
      from: {
        path: "^core/",
        pathNot: `^core/(${names.map((f) => `${f}/(${floors[f].join("|")})`).join("|")})(/|\\.ts$)`,
      },
      to: {},
    },
    {
      name: "no-unknown-room-imported",
      severity: "error",
      from: {},
      to: {
        path: "^core/",
        pathNot: `^core/(${names.map((f) => `${f}/(${floors[f].join("|")})`).join("|")})(/|\\.ts$)`,
      },
    },
    {
      name: "not-to-dev-dependencies",
      severity: "error",
      from: { path: "^(core|functions|client)/" },
      to: { dependencyTypes: ["npm-dev"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "require", "node", "default"] },
  },
};
