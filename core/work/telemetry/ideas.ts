/** Contract 6.2 as a constant map: which idea a route serves. Ideas themselves are out of scope; clients show the names. */

export const ORIGIN_IDEA = "portfolio-governance";
const INTERFACE_IDEA = "oss-interface-alignment";

/** The idea of a route template: the agent's routes serve the portfolio, all others the interface. */
export function ideaOf(route: string): string {
  return /^\/api\/agent(?:\/|$)/.test(route) ? ORIGIN_IDEA : INTERFACE_IDEA;
}
