/** Read models: how the pipeline stands, lists of tasks. No effects. */
export { pipelineStatus, PipelineStatus } from "./pipeline-status.ts";
export { projectManager, ProjectManager } from "./project-manager.ts";
export { attention, list, MAX_ROWS, type Listed, type ListQuery } from "./list.ts";
export { Place, placeOf, standing, Waiting } from "./queue.ts";
export { timestamp, type ListRow } from "./item.ts";
export { workers, type Working } from "./workers.ts";
export { providers, type Limit, type Provided } from "./providers.ts";
export { usage, UsageAnswer } from "./usage.ts";
export { visibility, Visibility } from "./visibility.ts";
export { integration, Integration } from "./integration.ts";
