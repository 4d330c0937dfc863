/** Executors: the contract's names for agents, their models and commands, who is chosen and what that costs. */
export { EXECUTORS, executorOf, type Executor } from "./names.ts";
export { routeOf, type Route } from "./table.ts";
export { billing, type Billing } from "./billing.ts";
export { cheapOf, escalationOf, isAvailable } from "./policy.ts";
export { plainCommand, prepare, type Prepared } from "./prepare.ts";
export { remember } from "./history.ts";
export { allowsPaid, isTruthy, PAID_KEYS } from "./paid.ts";
