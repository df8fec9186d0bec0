// A cookie jar around the global fetch: what a browser does by itself and Node does not.

export class Jar {
  #cookies = new Map();
  #fetch;

  constructor(fetch) {
    this.#fetch = fetch;
  }

  /** The names of the cookies that it holds. */
  names() {
    return [...this.#cookies.keys()];
  }

  /** As the global fetch, with cookies. */
  fetch = async (url, options = {}) => {
    const headers = new Headers(options.headers);
    if (this.#cookies.size > 0) {
      const pairs = [...this.#cookies].map(([name, value]) => `${name}=${value}`);
      headers.set('cookie', pairs.join('; '));
    }
    const response = await this.#fetch(url, { ...options, headers });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    return response;
  };

  #keep(line) {
    const [pair, ...attributes] = line.split(';').map((part) => part.trim());
    const [name, ...value] = pair.split('=');
    const expired = attributes.some((attribute) => attribute.toLowerCase() === 'max-age=0');
    if (expired) this.#cookies.delete(name);
    else this.#cookies.set(name, value.join('='));
  }
}
