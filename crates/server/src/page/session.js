// The session: its tokens are in this module's memory, and leave with the page.

import { call, post } from './call.js';

let tokens = null;

export const begin = (answer) => { tokens = answer; };
export const end = () => { tokens = null; };
export const lives = () => tokens !== null;

/** Asks as the user. An access token that has ended is replaced once, by the cookie. */
export async function ask(method, route, body) {
  const { accessToken } = tokens;
  try {
    return await call(method, route, body, accessToken);
  } catch (error) {
    if (error.status !== 401) throw error;
    tokens = await post('auth/v1/user/token/refresh', {});
    return call(method, route, body, tokens.accessToken);
  }
}

/** How the user was authenticated, in words. */
export function proof() {
  const { amr = [] } = JSON.parse(atob(tokens.accessToken.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')));
  if (amr.includes('hwk')) return 'Password and passkey';
  if (amr.includes('mfa')) return 'Password and code';
  return amr.includes('remembered') ? 'Password, on a remembered device' : 'Password';
}
