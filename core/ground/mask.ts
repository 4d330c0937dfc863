/** Takes secrets out of a text. */
export type Mask = (text: string) => string;

/** Names of variables that hold a secret, whoever reads them. */
const SECRET = /(?:^|_)(?:api_?key|key|(?:auth)?_?token|secret|password|passwd|credentials?)(?:_|$)/i;
/** Shorter values are words that stand in any text. */
const SHORTEST = 8;

/**
 * Masks every secret of an environment: the values of variables that are named like one, each line of them, and the password of a
 * URL. `more` are masked too, however short they are.
 */
export function maskOf(environment: Readonly<Record<string, string | undefined>>, more: readonly string[] = []): Mask {
  const found = Object.entries(environment).flatMap(([name, value = ""]) => [
    ...(SECRET.test(name) ? value.split(/\r?\n/).map((line) => line.trim()) : []),
    // By the last @ before the path: a password may hold one.
    ...(/^[a-z][a-z0-9+.-]*:\/\/[^/:@]*:([^/]+)@/i.exec(value)?.slice(1) ?? []),
  ]);
  const secrets = [...new Set([...found.filter((one) => one.length >= SHORTEST), ...more.filter((one) => one !== "")])]
    // The longest first: one may be the beginning of another.
    .sort((a, b) => b.length - a.length);
  return (text) => secrets.reduce((masked, secret) => masked.replaceAll(secret, "[masked]"), text);
}

/** The same value with every text in it masked; what is no plain data stays as it is. */
export function maskAll<T>(mask: Mask, value: T): T {
  if (typeof value === "string") return mask(value) as T;
  if (Array.isArray(value)) return value.map((one) => maskAll<unknown>(mask, one)) as T;
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, maskAll<unknown>(mask, one)])) as T;
}
