/** Settings of providers, by the names of their environment variables; an empty value counts as absent. */
export type Settings = Readonly<Record<string, string | undefined>>;

/** The first of `names` that has a value, or null. */
export function firstSet(settings: Settings, names: readonly string[]): { name: string; value: string } | null {
  for (const name of names) {
    const value = settings[name]?.trim();
    if (value) return { name, value };
  }
  return null;
}

/**
 * A base URL without a slash at its end. User, password, query and fragment are left out: the key is what counts, fetch refuses the
 * first two, a path cannot be added behind the others, and a URL is printed, stored and shown.
 */
export function plainUrl(url: string): string {
  // By the last @ before the path: a password may hold one.
  const bare = url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, "$1");
  return bare.replace(/[?#].*$/s, "").replace(/\/+$/, "");
}

/** Whether it is an http URL at all; what is none may be a secret in the wrong variable, and is not shown. */
export function isHttpUrl(url: string): boolean {
  return /^https?:\/\//i.test(url) && URL.canParse(url);
}
