/**
 * A plugin of opencode's, as text: what its own events leave out and we need is printed among them. It retries by itself up to five
 * times and nothing switches that off, so the first answer that refuses, or none, is said here, as its own `error` event would at the
 * end; and when a tool begins, of which its events tell only the end. After it nothing is loaded but what is within the program:
 * plugins that lie in the tree it would run, whatever it is told (measured).
 */
export function opencodePlugin(baseUrl: string): string {
  return `
Bun.plugin({
  name: "coherence",
  setup: (build) =>
    build.onLoad({ filter: /^(?!\\/\\$bunfs\\/).*\\.[cm]?[jt]sx?$/ }, () => ({ contents: "export default {}", loader: "js" })),
});
const say = (event) => process.stdout.write(JSON.stringify(event) + "\\n");
const ask = globalThis.fetch;
const watched = async (input, init) => {
  const model = String(input?.url ?? input).startsWith(${JSON.stringify(baseUrl)});
  try {
    const answer = await ask(input, init);
    if (model && answer.status >= 400) {
      const responseBody = (await answer.clone().text()).slice(0, 20_000);
      const responseHeaders = Object.fromEntries(answer.headers);
      say({ type: "coherence.refused", error: { statusCode: answer.status, responseHeaders, responseBody } });
    }
    return answer;
  } catch (thrown) {
    if (model) say({ type: "coherence.lost", code: String(thrown?.code), silent: init?.signal?.aborted === true });
    throw thrown;
  }
};
globalThis.fetch = Object.assign(watched, ask);
export const Coherence = async () => ({
  event: async ({ event }) => {
    if (event.type === "session.status" && event.properties.status.type === "retry") say({ type: "coherence.retry" });
  },
  "tool.execute.before": async ({ callID }) => say({ type: "coherence.tool", callID }),
});
`;
}
