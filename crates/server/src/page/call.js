// One call of the server, and what it says when it refuses.

const BASE = '/identity/resources/';

/** A refusal, in the words of the server. */
export class Refusal extends Error {
  constructor(status, body, retryAfter) {
    const wait = retryAfter > 1 ? ` (in ${wording(retryAfter)})` : '';
    super(`${(body.errors ?? ['The server gave no answer. Please try again']).join(', ')}${wait}.`);
    this.status = status;
    this.code = body.errorCode;
  }
}

/** A refusal of our own, before the server is asked. */
export const refusal = (sentence) => new Refusal(0, { errors: [sentence] });

function wording(seconds) {
  if (seconds < 90) return `${seconds} seconds`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 90 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`;
}

/** What a login is bound to where no cookie says which browser this is: it never leaves this tab but to the server. */
function nonce() {
  let kept = sessionStorage.getItem('nonce');
  if (!kept) {
    kept = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
    sessionStorage.setItem('nonce', kept);
  }
  return kept;
}

export async function call(method, route, body, bearer) {
  const headers = { 'content-type': 'application/json', 'countersign-nonce': nonce() };
  if (bearer) headers.authorization = `Bearer ${bearer}`;
  let response;
  try {
    response = await fetch(BASE + route, { method, headers, body: body && JSON.stringify(body), credentials: 'same-origin' });
  } catch {
    throw refusal('The server cannot be reached: you may be offline');
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refusal(response.status, answer, Number(response.headers.get('retry-after')));
  return answer;
}

export const post = (route, body) => call('POST', route, body);
