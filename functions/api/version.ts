/** The API's version, not the package's: clients compare it. */
export const VERSION = "1.0.0";
