/** Something that looks like a key: where it is and of what kind, never its value. */
export type Secret = { file: string; line: number; kind: string };

const KINDS: readonly { kind: string; pattern: RegExp }[] = [
  { kind: "a GitHub token", pattern: /(?<![A-Za-z0-9])gh[opsur]_[A-Za-z0-9]{20,}/ },
  { kind: "a GitHub token", pattern: /(?<![A-Za-z0-9])github_pat_[A-Za-z0-9_]{20,}/ },
  // With a digit: names such as sk-loading-indicator-wrapper are no keys.
  { kind: "an API key", pattern: /(?<![A-Za-z0-9_-])[sr]k-(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{16,}/ },
  { kind: "a Stripe key", pattern: /(?<![A-Za-z0-9])[sr]k_live_[A-Za-z0-9]{16,}/ },
  { kind: "a Slack token", pattern: /(?<![A-Za-z0-9])xox[abprs]-[A-Za-z0-9-]{10,}/ },
  { kind: "an AWS access key", pattern: /(?<![A-Za-z0-9])(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Z])/ },
  { kind: "a private key", pattern: /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----/ },
];

/** `.env.example` and its like are there to be committed. */
const HARMLESS = /\.(?:example|sample|template|dist|defaults?)$/;
const KEY_FILES = /^(?:\.env(?:\..+)?|\.netrc|\.pgpass|id_(?:rsa|dsa|ecdsa|ed25519)|.+\.(?:p12|pfx|keystore))$/;

/** Whether a file by this name holds keys whatever is in it. */
export function isKeyFile(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return KEY_FILES.test(name) && !HARMLESS.test(name);
}

/** What looks like a key in the added lines of a patch (`git diff -U0`, paths with the prefix `b/`). */
export function secretsIn(patch: string): Secret[] {
  const found: Secret[] = [];
  let file = "";
  let line = 0;
  // Lines of a hunk still to come: an added line may itself read like a header.
  let removed = 0;
  let added = 0;
  for (const text of patch.split("\n")) {
    if (added > 0 && text.startsWith("+")) {
      const kind = KINDS.find((each) => each.pattern.test(text))?.kind;
      if (kind) found.push({ file, line, kind });
      added--;
      line++;
    } else if (removed > 0 && text.startsWith("-")) {
      removed--;
    } else if (text.startsWith("+++ ")) {
      file = text
        .slice(4)
        .replace(/^"?b\//, "")
        .replace(/["\t]+$/, "");
    } else {
      const hunk = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(text);
      if (!hunk) continue;
      removed = Number(hunk[1] ?? 1);
      line = Number(hunk[2]);
      added = Number(hunk[3] ?? 1);
    }
  }
  return found;
}
