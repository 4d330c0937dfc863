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
