/** Effectiveness: how well the pipeline does what it is for, and how far its plan is. */
export { effectiveness, Effectiveness } from "./effectiveness.ts";
export { BLIND_ISSUES, goalProximity } from "./proximity.ts";
