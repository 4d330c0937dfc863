/** Friction: one episode a provider and reason while it lasts, one event when it is over. */
export { FrictionEvent } from "./event.ts";
export { close, open, openEpisodes, type Episode, type Met } from "./episode.ts";
