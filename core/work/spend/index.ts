/** Money: what may be spent, what was, and what that leaves. */
export { isNearEnd, taskLimit, weigh, type Budget, type Stop, type Weighed } from "./budget.ts";
export { countPaidRun, paidWindows, type PaidWindow } from "./window.ts";
