/** What a command ends with when it did not do what it was asked. */
export const EXIT = {
  /** The API says no, or what was asked for is not there. */
  refused: 1,
  /** A wrong option, argument, setting or file. */
  usage: 2,
  /** No host answers. */
  unreachable: 3,
} as const;

/** Why a command ends: one line what, one line what to do about it. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly exit: (typeof EXIT)[keyof typeof EXIT];
  readonly remedy: string;
  /** The API's code, where it was the API that refused. */
  readonly code: string | undefined;

  constructor(kind: keyof typeof EXIT, message: string, remedy: string, code?: string) {
    super(message);
    this.exit = EXIT[kind];
    this.remedy = remedy;
    this.code = code;
  }
}
