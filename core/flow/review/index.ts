export type { Evidence, Judgement } from "./evidence.ts";
export { judge } from "./judge.ts";
