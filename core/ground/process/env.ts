/** What a program needs to find its tools, its home and its language; everything else of the host stays with the host. */
const PASSED_ON = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "LANG",
  "LC_ALL",
  "LC_CTYPE",
  "TZ",
  "TMPDIR",
  // Without these a machine behind a proxy with its own authority cannot install packages.
  "SSL_CERT_FILE",
  "NODE_EXTRA_CA_CERTS",
];

/** Passed on unless they hold a user and a password. */
const PROXIES = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"];

/**
 * The smallest environment a child can work in, taken from the host's by a list of names, so that no credential of the host
 * gets through; `extra` (the child's own credentials, its settings) wins.
 */
export function baseEnv(
  hostEnv: Readonly<Record<string, string | undefined>>,
  extra: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const env: Record<string, string> = { LANG: "C.UTF-8", TERM: "dumb", CI: "1", NO_COLOR: "1" };
  for (const name of PASSED_ON) {
    const value = hostEnv[name];
    if (value !== undefined && value !== "") env[name] = value;
  }
  for (const name of PROXIES) {
    const value = hostEnv[name];
    if (value !== undefined && value !== "" && !value.includes("@")) env[name] = value;
  }
  return { ...env, ...extra };
}
