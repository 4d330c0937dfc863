import type * as Store from "../../core/ground/store/index.ts";
import { sdkWire } from "../../functions/aws/dynamodb.ts";
import { loopback } from "../../functions/local/loopback.ts";

/** The host on one machine speaks to its engine itself; on AWS the SDK does. The store must not be able to tell. */
export const WIRES: Record<string, (endpoint: string) => Store.Wire> = {
  "the loopback": loopback,
  "AWS's client": (endpoint) =>
    sdkWire({ endpoint, region: "local", credentials: { accessKeyId: "local", secretAccessKey: "local" } }),
};
