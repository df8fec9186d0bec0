// The unmodified @frontegg/rest-api, and what each part of the drive does with it.

import assert from 'node:assert/strict';

import { Jar } from './jar.mjs';
import { appCode, newUser, scan } from './person.mjs';

// The client reads the page's query; Node has no page.
globalThis.window = { location: { search: '', href: '' } };
const nodeFetch = globalThis.fetch;
const { default: client } = await import('@frontegg/rest-api');
const { ContextHolder, FronteggApiError } = client;
const context = ContextHolder.for('default');
const [baseUrl] = process.argv.slice(2);

/** The functions that were answered, by name; those that were refused, after ERROR. */
export const answered = new Set();

/** The client's own functions. Beside calling them, it keeps what came of it. */
export const api = new Proxy(client.api.auth, {
  get: (auth, name) => async (...given) => {
    const kind = name === 'saveMfaPolicy' ? `(${given[0].id ? 'update' : 'create'})` : '';
    try {
      const answer = await auth[name](...given);
      answered.add(`${name}${kind}`);
      return answer;
    } catch (error) {
      if (error instanceof FronteggApiError) answered.add(`ERROR ${name}${kind}`);
      throw error;
    }
  },
});

/** At an application, and with headers that a product resolves for its own calls. */
export function at({ appId, headers = {} } = {}) {
  const additionalHeadersResolver = () => Object.entries(headers).map(([key, value]) => ({ key, value }));
  const basics = { baseUrl, requestCredentials: 'include', logLevel: 'error' };
  context.setContext({ ...basics, appId, additionalHeadersResolver });
  context.setRequestSource('login-box');
}

/** The access token of the calls that follow. */
export const act = (accessToken) => context.setAccessToken(accessToken);

/** From here on it is another browser: no cookie, no session. */
export function freshBrowser() {
  const jar = new Jar(nodeFetch);
  goTo(jar);
  return jar;
}

/** From here on it is this browser, logged out. */
export function goTo(jar) {
  globalThis.fetch = jar.fetch;
  act(null);
}

/** Logs in with the password, whatever that leads to. */
export async function login({ email, password }) {
  // The login box forgets its token when MFA is required.
  act(null);
  const { user } = await api.loginv2({ email, password });
  return user;
}

/** Logs in with the password; what the login box reads where a second factor is asked for. */
export async function challenged(who) {
  const user = await login(who);
  assertChallenged(user);
  return user;
}

/** What the login box reads of a login that awaits its second factor. */
export function assertChallenged(user) {
  assert.equal(user.mfaRequired, true);
  assert.ok(user.mfaToken, 'MFA is taken for required only with a token');
  assert.equal(user.accessToken, undefined);
  for (const kind of ['webauthn', 'phones', 'authenticators', 'emails']) {
    assert.ok(Array.isArray(user.mfaDevices[kind]), `${kind} must be an array, or the box throws`);
  }
}

/** What the client makes of a login that is over, for its newer functions. */
export function assertLoggedIn({ user, tenants, activeTenant }, { email }) {
  assert.equal(user.mfaRequired, false);
  assert.equal(user.email, email);
  assert.ok(user.accessToken && user.refreshToken && user.sub && user.tenantId);
  assert.ok(Array.isArray(tenants));
  assert.equal(activeTenant.tenantId, user.tenantId);
}

/** The refusal as the client sees it. */
export async function assertRefused(promise, statusCode, errorCode) {
  const error = await promise.then(
    () => assert.fail(`${statusCode} was expected`),
    (error) => error,
  );
  assert.ok(error instanceof FronteggApiError, String(error));
  const { message, traceId, errors } = error;
  assert.deepEqual([error.statusCode, error.errorCode], [statusCode, errorCode], message);
  assert.ok(traceId && errors.length > 0);
  assert.equal(message, errors.join(', '));
  return error;
}

/** A new user at a new browser who was forced to enrol an app, called as the user is; the session that came of it. */
export async function enrolledUser(name) {
  const who = await newUser(name);
  const home = freshBrowser();
  const { mfaToken, qrCode } = await challenged(who);
  await scan(name, qrCode);
  const session = await api.enrollMFAAuthenticatorAppForLoginV2({ mfaToken, token: await appCode(name) });
  assertLoggedIn(session, who);
  return { who, home, ...session.user };
}

at();
