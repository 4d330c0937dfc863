import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  UpdateTimeToLiveCommand,
  type DynamoDBClientConfig,
  type GetItemCommandInput,
} from "@aws-sdk/client-dynamodb";
import type { Operation, Wire } from "../../core/ground/store/index.ts";

const COMMANDS = {
  GetItem: GetItemCommand,
  BatchGetItem: BatchGetItemCommand,
  Query: QueryCommand,
  Scan: ScanCommand,
  PutItem: PutItemCommand,
  UpdateItem: UpdateItemCommand,
  DeleteItem: DeleteItemCommand,
  BatchWriteItem: BatchWriteItemCommand,
  TransactWriteItems: TransactWriteItemsCommand,
  DescribeTable: DescribeTableCommand,
  CreateTable: CreateTableCommand,
  UpdateTimeToLive: UpdateTimeToLiveCommand,
} satisfies Record<Operation, unknown>;

/** DynamoDB through AWS's own client, which signs; what is tried again the store says, whatever it goes over. */
export function sdkWire(config: DynamoDBClientConfig): Wire {
  // A command's steps are put together once rather than at each request; a logger without methods is not asked for anything.
  const logger = {} as NonNullable<DynamoDBClientConfig["logger"]>;
  const client = new DynamoDBClient({ logger, maxAttempts: 1, ...config, cacheMiddleware: true });
  const send = (operation: Operation, input: unknown): Promise<unknown> => {
    const Command = COMMANDS[operation] as typeof GetItemCommand;
    return client.send(new Command(input as GetItemCommandInput));
  };
  return send as Wire;
}
