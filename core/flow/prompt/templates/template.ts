import type { TaskType } from "../../../work/task/index.ts";

/** A prompt's changeable part; whoever changes `text` raises `version`, so that measurements tell the two apart. */
export type Template = { id: TaskType; version: number; text: string };
