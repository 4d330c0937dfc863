/** A live process: its parent, its group, and whether it has a terminal (a person's shell has, ours never). */
export type Process = { pid: number; parent: number; group: number; terminal: boolean };
export function processes(): Process[];
export function birthOf(pid: number): string | null;
export function variableOf(pid: number, name: string): string | null;
export function directoryOf(pid: number): string | null;
export function groupsOfRun(group: number, mark: string): number[];
export function endGroups(find: () => number[], graceMs: number): Promise<number>;
