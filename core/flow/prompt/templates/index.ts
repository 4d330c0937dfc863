import type { TaskType } from "../../../work/task/index.ts";
import { HEAL } from "./heal.ts";
import { IMPL } from "./impl.ts";
import { REVIEW } from "./review.ts";
import { SPEC } from "./spec.ts";
import type { Template } from "./template.ts";
import { TEST } from "./test.ts";

export type { Template } from "./template.ts";

/** The built-in template of each task type. */
export const TEMPLATES: Readonly<Record<TaskType, Template>> = {
  spec: SPEC,
  impl: IMPL,
  test: TEST,
  review: REVIEW,
  heal: HEAL,
};
