import type * as Dynamo from "@aws-sdk/client-dynamodb";

/** The requests that are made of DynamoDB: what each takes and answers. Types alone: no client is loaded for them. */
export type Operations = {
  GetItem: [Dynamo.GetItemCommandInput, Dynamo.GetItemCommandOutput];
  BatchGetItem: [Dynamo.BatchGetItemCommandInput, Dynamo.BatchGetItemCommandOutput];
  Query: [Dynamo.QueryCommandInput, Dynamo.QueryCommandOutput];
  Scan: [Dynamo.ScanCommandInput, Dynamo.ScanCommandOutput];
  PutItem: [Dynamo.PutItemCommandInput, Dynamo.PutItemCommandOutput];
  UpdateItem: [Dynamo.UpdateItemCommandInput, Dynamo.UpdateItemCommandOutput];
  DeleteItem: [Dynamo.DeleteItemCommandInput, Dynamo.DeleteItemCommandOutput];
  BatchWriteItem: [Dynamo.BatchWriteItemCommandInput, Dynamo.BatchWriteItemCommandOutput];
  TransactWriteItems: [Dynamo.TransactWriteItemsCommandInput, Dynamo.TransactWriteItemsCommandOutput];
  DescribeTable: [Dynamo.DescribeTableCommandInput, Dynamo.DescribeTableCommandOutput];
  CreateTable: [Dynamo.CreateTableCommandInput, Dynamo.CreateTableCommandOutput];
  UpdateTimeToLive: [Dynamo.UpdateTimeToLiveCommandInput, Dynamo.UpdateTimeToLiveCommandOutput];
};
export type Operation = keyof Operations;

/** What each answers. */
export type Answers = { [O in Operation]: Omit<Operations[O][1], "$metadata"> };

/**
 * One request, sent once, and its answer: whether it is sent again is decided in `retry.ts`. What DynamoDB refuses is thrown as an
 * error with DynamoDB's name for it and with what it sent along (`Item`, `CancellationReasons`).
 */
export type Wire = <O extends Operation>(operation: O, input: Operations[O][0]) => Promise<Answers[O]>;
