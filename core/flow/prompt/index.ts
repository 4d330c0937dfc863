export { build } from "./build.ts";
export type { Built, Handoff, Input } from "./input.ts";
export { BLOCK_INFO, parseResult, type Parsed } from "./parse.ts";
export { checkOverride, overridePath, PLACEHOLDERS } from "./placeholders.ts";
export { profiles } from "./roles.ts";
export { TEMPLATES, type Template } from "./templates/index.ts";
export { title } from "./title.ts";
