export { type Choice, choose, type Wish } from "./choose.ts";
export { closeIdle } from "./idle.ts";
export { type IdlePolicy, idlePolicyOf } from "./idle-policy.ts";
export type { Route } from "./route.ts";
export { RouteTable } from "./route-table.ts";
export { Uses } from "./uses.ts";
