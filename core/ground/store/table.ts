import type { CreateTableCommandInput } from "@aws-sdk/client-dynamodb";
import type { Wire } from "./wire.ts";

/** Attributes that a status list or the queue shows without reading the item (gsi1). Others are read from the base item. */
export const GSI1_INCLUDES = [
  "ent",
  "id",
  "direction",
  "task_type",
  "status",
  "model",
  "progress_pct",
  "current_step",
  "decision_prompt",
  "decision",
  "target_state",
  "success_evidence",
  "abort_evidence",
  "observation_window_sec",
  "claimed_by",
  "claimed_at",
  "created_at",
  "updated_at",
  "started_at",
  "output_len",
  "retry_not_before",
  "wait_reason",
  "att",
  "priority",
  "item",
] as const;

/** The one table: `pk, sk`, three indexes, TTL on `exp`, on demand. docs/ARCHITECTURE.md has the key of each entity. */
export function tableInput(name: string): CreateTableCommandInput {
  const index = (n: number, projection: "KEYS_ONLY" | "INCLUDE") => ({
    IndexName: `gsi${n}`,
    KeySchema: [
      { AttributeName: `gsi${n}pk`, KeyType: "HASH" as const },
      { AttributeName: `gsi${n}sk`, KeyType: "RANGE" as const },
    ],
    Projection:
      projection === "INCLUDE"
        ? { ProjectionType: projection, NonKeyAttributes: [...GSI1_INCLUDES] }
        : { ProjectionType: projection },
  });
  return {
    TableName: name,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: ["pk", "sk", "gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk", "gsi3pk", "gsi3sk"].map(
      (AttributeName) => ({
        AttributeName,
        AttributeType: "S" as const,
      }),
    ),
    KeySchema: [
      { AttributeName: "pk", KeyType: "HASH" },
      { AttributeName: "sk", KeyType: "RANGE" },
    ],
    GlobalSecondaryIndexes: [index(1, "INCLUDE"), index(2, "KEYS_ONLY"), index(3, "KEYS_ONLY")],
  };
}

/** Makes the table when it is not there; safe to repeat. For the embedded engine: on AWS the deployment makes it. */
export async function ensureTable(wire: Wire, name: string): Promise<void> {
  try {
    await wire("DescribeTable", { TableName: name });
    return;
  } catch (error) {
    if ((error as Error).name !== "ResourceNotFoundException") throw error;
  }
  try {
    await wire("CreateTable", tableInput(name));
    const TimeToLiveSpecification = { Enabled: true, AttributeName: "exp" };
    await wire("UpdateTimeToLive", { TableName: name, TimeToLiveSpecification });
  } catch (error) {
    if ((error as Error).name !== "ResourceInUseException") throw error;
  }
}
