import { pino, type DestinationStream, type Logger } from "pino";

/** Structured logging; one JSON line a call, secrets masked by key. */
export type Log = Pick<Logger, "debug" | "info" | "warn" | "error"> & { child(fields: Record<string, unknown>): Log };

const SECRET_KEYS = ["authorization", "apiKey", "api_key", "token", "password", "secret", "key"];

/** A logger at `level` writing to `destination` (default: standard error, so that standard output stays for answers). */
export function create(level: string, destination?: DestinationStream): Log {
  return pino(
    {
      level,
      base: null,
      redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`]), censor: "[masked]" },
    },
    destination ?? pino.destination({ fd: 2, sync: true }),
  );
}

/** A logger that says nothing. */
export function silent(): Log {
  return pino({ enabled: false });
}
