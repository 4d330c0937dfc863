import type { TreeTools } from "../../work/provider/index.ts";
import type { LogLine, Workspace } from "../../work/workspace/index.ts";

/** The worktree for a provider that has no tools of its own. The suite runs by the command of `base`, as when the work is judged. */
export function treeTools(workspace: Workspace, base: string, log: LogLine): TreeTools {
  return {
    list: (pattern) => workspace.list(pattern),
    read: (path) => workspace.read(path),
    search: (text, pattern) => workspace.search(text, pattern),
    write: (path, text) => workspace.write(path, text),
    remove: (path) => workspace.remove(path),
    changes: () => workspace.diff(base),
    test: (signal) => workspace.test(base, log, signal),
  };
}
