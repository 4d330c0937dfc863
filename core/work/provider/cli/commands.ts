/**
 * How the commands begin that an agent may run without being asked, as nobody is there to ask: looking at history, and suites by
 * their usual names.
 */
export const COMMANDS: readonly string[] = [
  ...["git status", "git diff", "git log", "git show", "ls"],
  ...["npm test", "npm run", "pnpm test", "pnpm run", "yarn test", "yarn run"],
  ...["node --test", "npx vitest", "npx tsc", "npx eslint", "pytest", "python -m pytest", "python3 -m pytest"],
  ...["go test", "go vet", "go build", "cargo test", "cargo check", "cargo build", "make test", "make check"],
];
