import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

/** What happens to a request: it is refused with DynamoDB's word, or carried out and its answer lost. */
export type Fault = { refused: string; status?: number } | "answer lost";

/** An endpoint before another that passes requests on, until it is told what happens to the next ones. */
export async function faulty(endpoint: string): Promise<{
  endpoint: string;
  /** What happens to the next requests, one each; those behind them are passed on. */
  next(...faults: Fault[]): void;
  /** The operations that came since the last `next`, in order. */
  came: string[];
  close(): Promise<void>;
}> {
  const faults: Fault[] = [];
  const came: string[] = [];
  const server = createServer((asked, answer) => {
    const operation = String(asked.headers["x-amz-target"]).replace(/^.*\./, "");
    came.push(operation);
    const fault = faults.shift();
    if (fault !== undefined && fault !== "answer lost") {
      asked.resume();
      answer.writeHead(fault.status ?? 400, { "content-type": "application/x-amz-json-1.0" });
      answer.end(JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${fault.refused}`, message: "planted" }));
      return;
    }
    const { method, url, headers } = asked;
    const passed = request(endpoint, { method, path: url, headers }, (got) => {
      if (fault === "answer lost") return got.resume().on("end", () => asked.socket.destroy());
      answer.writeHead(got.statusCode ?? 0, got.headers);
      got.pipe(answer);
    });
    asked.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    next(...more) {
      faults.splice(0, faults.length, ...more);
      came.length = 0;
    },
    came,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
