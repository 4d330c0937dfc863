import { existsSync } from "node:fs";
import { delimiter, resolve } from "node:path";
import { fail, type CoherenceError } from "../errors.ts";
import type { Command } from "./port.ts";

/** The command's environment with the marks by which `endGroupsIn` and the supervisor find its processes. */
export function marked(command: Command, mark: string): Record<string, string> {
  return { ...command.env, COHERENCE_TREE: command.cwd, COHERENCE_RUN: mark };
}

/** A command that could not be started, as an error for a person. */
export function cannotStart(command: Command, code: string, message: string): CoherenceError {
  const data = { file: command.file, cwd: command.cwd, code };
  if (!existsSync(command.cwd)) {
    return fail("process.failed", `Cannot run ${command.file}: the directory ${command.cwd} does not exist`, {
      remedy: `Create ${command.cwd}, or name another directory.`,
      data,
    });
  }
  if (code === "ENOENT") {
    return fail("process.failed", `Cannot run ${command.file}: there is no such program on the PATH`, {
      remedy: `Install ${command.file}, or add its directory to the PATH of the host.`,
      data,
    });
  }
  return fail("process.failed", `Cannot run ${command.file}: ${message}`, {
    remedy: `Check that ${command.file} may be executed by this user.`,
    data,
  });
}

/** Whether no folder of the command's PATH has its program, as the system would look for it. Without a PATH the system knows others. */
export function isMissing({ file, cwd, env }: Command): boolean {
  const { PATH } = env;
  if (file.includes("/") || !PATH) return false;
  return !PATH.split(delimiter).some((folder) => existsSync(resolve(cwd, folder, file)));
}
