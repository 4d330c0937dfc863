/** Where work happens: the port, and its git side. */
export type * from "./port.ts";
export { openRepository, type RepositoryOptions } from "./repository.ts";
export { notRedder, isGreen } from "./colour.ts";
export { refPart } from "./paths.ts";
export { IDENTITY } from "./git.ts";
export { fileOfHead, type HeadFile } from "./head-file.ts";
export { splitCommand } from "./arguments.ts";
