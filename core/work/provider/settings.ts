/** Settings of providers, by the names of their environment variables; an empty value counts as absent. */
export type SettingName =
  "CODEX_API_KEY" | "OPENAI_API_KEY" | "OPENAI_BASE_URL" | "CODEX_BIN" | "OPENCLAW_MODEL" | "COHERENCE_SCENARIO";

export type Settings = Readonly<Partial<Record<SettingName, string>>>;

/** The first of `names` that has a value, or null. */
export function firstSet(
  settings: Settings,
  names: readonly SettingName[],
): { name: SettingName; value: string } | null {
  for (const name of names) {
    const value = settings[name]?.trim();
    if (value) return { name, value };
  }
  return null;
}
