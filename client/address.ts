/** Where an API is, and how its key is sent. */
export type Address = {
  /** Without a key, a query or a slash at its end. */
  url: string;
  /** The header field for a key that came in the address. */
  authorization: string | undefined;
};

/**
 * An address as it can be called: a key in it (`https://any:KEY@host`) becomes Basic, because fetch refuses an address with one.
 * Throws a TypeError for what is no http address.
 */
export function address(given: string): Address {
  const { protocol, origin, pathname, username, password } = new URL(given);
  if (!/^https?:$/.test(protocol)) throw new TypeError("The API's address is not an http address");
  const named = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return {
    url: `${origin}${pathname.replace(/\/+$/, "")}`,
    authorization: password === "" ? undefined : `Basic ${base64(named)}`,
  };
}

/** The UTF-8 of a text in base64, in a browser as in Node. */
function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
