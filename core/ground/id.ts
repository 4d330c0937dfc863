import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { ulid } from "ulid";

/** Identity and chance. The only file that draws random numbers, so that a seeded one can run everything else. */
export type Id = {
  /** A number in [0, 1). */
  random(): number;
  /** `n` lower-case hex digits. */
  hex(n: number): string;
  /** 26 characters whose order is time order; `now` in ms. */
  ulid(now: number): string;
};

/** Chance from the operating system. */
export function system(): Id {
  return {
    random: () => Math.random(),
    hex: (n) =>
      randomBytes(Math.ceil(n / 2))
        .toString("hex")
        .slice(0, n),
    ulid: (now) => ulid(now),
  };
}

/** The same numbers for the same seed (mulberry32), for simulations. */
export function seeded(seed: number): Id {
  let state = seed >>> 0;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const hex = (n: number) => Array.from({ length: n }, () => Math.floor(random() * 16).toString(16)).join("");
  return { random, hex, ulid: (now) => ulid(now, random) };
}

/** SHA-256 of `text`, 64 hex digits. */
export function sha256(text: string | Uint8Array): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Whether two secrets are the same, in a time that tells nothing about where they differ. */
export function sameSecret(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** A task's id from its creation key: the same key is the same task, so a repeated creation makes nothing twice. */
export function taskIdOf(key: string): string {
  return `task_${sha256(key).slice(0, 16)}`;
}

/** A new task's id: `task_` and 16 hex digits. */
export function taskId(id: Id): string {
  return `task_${id.hex(16)}`;
}
