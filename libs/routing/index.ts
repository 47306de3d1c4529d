export { type Choice, choose, type Wish } from "./choose.ts";
export { hostNameOf } from "./host-name.ts";
export { closeIdle, keptRunning } from "./idle.ts";
export { type IdlePolicy, idlePolicyOf } from "./idle-policy.ts";
export type { Route } from "./route.ts";
export { RouteTable } from "./route-table.ts";
export { serviceAt } from "./service-at.ts";
export { Uses } from "./uses.ts";
