// Drives the unmodified @frontegg/rest-api through the whole main job, in the order in which its login box calls it:
// node drive.mjs URL EMAIL PASSWORD

import assert from 'node:assert/strict';

// The client reads the page's query; Node has no page.
globalThis.window = { location: { search: '', href: '' } };
const nodeFetch = globalThis.fetch;

const { default: client } = await import('@frontegg/rest-api');
const { Jar } = await import('./jar.mjs');
const { scan, appCode, wrongCode, mailedCode, makePasskey, usePasskey, say, leave } = await import('./person.mjs');

const { api, ContextHolder, FronteggApiError } = client;
const [baseUrl, email, password] = process.argv.slice(2);
ContextHolder.for('default').setContext({ baseUrl, requestCredentials: 'include', logLevel: 'error' });
ContextHolder.for('default').setRequestSource('login-box');

/** From here on it is another browser: no cookie, no session. */
function freshBrowser() {
  const jar = new Jar(nodeFetch);
  globalThis.fetch = jar.fetch;
  ContextHolder.for('default').setAccessToken(null);
  return jar;
}

/** Logs in with the password; what the login box reads when a second factor is asked for. */
async function login() {
  // The login box forgets its token when MFA is required.
  ContextHolder.for('default').setAccessToken(null);
  const { user } = await api.auth.loginv2({ email, password });
  if (!user.mfaRequired) return user;
  assert.ok(user.mfaToken, 'MFA is taken for required only with a token');
  assert.equal(user.accessToken, undefined);
  for (const kind of ['webauthn', 'phones', 'authenticators', 'emails']) {
    assert.ok(Array.isArray(user.mfaDevices[kind]), `${kind} must be an array, or the box throws`);
  }
  const allowed = await api.auth.checkIfAllowToRememberMfaDevice(user.mfaToken);
  assert.deepEqual(allowed, { isAllowedToRemember: true, mfaDeviceExpiration: 1209600 });
  return user;
}

/** What the client makes of a login that is over. */
function assertLoggedIn({ user, tenants, activeTenant }) {
  assert.equal(user.mfaRequired, false);
  assert.equal(user.email, email);
  assert.ok(user.accessToken && user.refreshToken && user.sub && user.tenantId);
  assert.ok(Array.isArray(tenants));
  assert.equal(activeTenant.tenantId, user.tenantId);
}

async function assertRefused(promise, statusCode, errorCode) {
  const error = await promise.then(
    () => assert.fail('it must be refused'),
    (error) => error,
  );
  assert.ok(error instanceof FronteggApiError, String(error));
  assert.equal(error.statusCode, statusCode);
  if (errorCode) assert.equal(error.errorCode, errorCode);
  assert.ok(error.errors.length > 0 && error.message.length > 0);
}

const home = freshBrowser();
await assertRefused(api.auth.loginv2({ email, password: `${password}x` }), 401);

say('forced login');
const forced = await login();
assert.equal(forced.mfaEnrolled, false);
assert.deepEqual(forced.mfaStrategies, ['WebAuthnPlatform', 'WebAuthnCrossPlatform', 'AuthenticatorApp']);
assert.match(forced.qrCode, /^data:image\/png;base64,/);

say('pre-enrol');
const { qrCode } = await api.auth.preEnrollMFAAuthenticatorAppForLogin({ mfaToken: forced.mfaToken });
await scan(qrCode);

say('enrol');
const wrongToken = { mfaToken: forced.mfaToken, token: await wrongCode() };
await assertRefused(api.auth.enrollMFAAuthenticatorAppForLoginV2(wrongToken), 400, 'ER-01011');
const enrolled = await api.auth.enrollMFAAuthenticatorAppForLoginV2({
  mfaToken: forced.mfaToken,
  token: await appCode(),
});
assertLoggedIn(enrolled);
const { recoveryCode } = enrolled.user;
assert.ok(recoveryCode.length >= 8, 'the form that takes it wants eight characters');

say('refresh');
assertLoggedIn(await api.auth.refreshTokenV3());

say('login by authenticator, remembering the browser');
const known = await login();
assert.equal(known.mfaDevices.authenticators.length, 1);
const wrong = { mfaToken: known.mfaToken, value: await wrongCode() };
await assertRefused(api.auth.loginWithMfaV2(wrong), 400, 'ER-01011');
const verified = await api.auth.verifyMFAAuthenticatorAppForLogin(known.mfaDevices.authenticators[0].id, {
  mfaToken: known.mfaToken,
  value: await appCode(),
  rememberDevice: true,
});
assert.ok(verified.accessToken);
assert.ok(home.names().some((name) => name.startsWith('fe_device_')));

say('login on the remembered browser');
const skipped = await login();
assert.equal(skipped.mfaRequired, false);
assert.ok(skipped.accessToken);

say('login by email at another browser');
freshBrowser();
const asked = await login();
assert.equal(asked.mfaRequired, true);
assert.equal(asked.mfaDevices.emails.length, 1);
const { otcToken } = await api.auth.preVerifyMFAEmailCode({ mfaToken: asked.mfaToken });
const byMail = { mfaToken: asked.mfaToken, otcToken, code: await mailedCode() };
assertLoggedIn(await api.auth.verifyMFAEmailCodeV2(byMail));
await assertRefused(api.auth.verifyMFAEmailCodeV2(byMail), 401);

say('recover');
freshBrowser();
await assertRefused(api.auth.recoverMfaToken({ email, recoveryCode: '0000000000000000' }), 400);
assert.deepEqual(await api.auth.recoverMfaToken({ email, recoveryCode }), {});
const recovered = await login();
assert.equal(recovered.mfaRequired, true);
assert.equal(recovered.mfaEnrolled, false);

say('enrol a passkey');
const offered = await api.auth.preEnrollMFAWebAuthnForLogin({ mfaToken: recovered.mfaToken });
const withKey = await api.auth.enrollMFAWebAuthnForLoginV2({
  mfaToken: recovered.mfaToken,
  deviceType: 'Platform',
  webauthnToken: offered.webauthnToken,
  options: await makePasskey('mine', offered.options),
  publicKey: offered.options,
});
assertLoggedIn(withKey);
assert.ok(withKey.user.recoveryCode);

say('login by passkey');
const byKey = await login();
assert.equal(byKey.mfaDevices.webauthn.length, 1);
const [{ id: mine, deviceType, name }] = byKey.mfaDevices.webauthn;
assert.equal(deviceType, 'Platform');
assert.ok(name.length > 0);
const challenge = await api.auth.preVerifyMFAWebAuthnForLogin(mine, { mfaToken: byKey.mfaToken });
const signed = {
  mfaToken: byKey.mfaToken,
  webauthnToken: challenge.webauthnToken,
  options: await usePasskey('mine', challenge.options),
  rememberDevice: false,
};
const inside = await api.auth.verifyMFAWebAuthnForLoginV2(mine, signed);
assertLoggedIn(inside);
await assertRefused(api.auth.verifyMFAWebAuthnForLoginV2(mine, signed), 401);

say('add another passkey, and remove it');
ContextHolder.for('default').setAccessToken(inside.user.accessToken);
const more = await api.auth.preEnrollMFAWebAuthn();
await api.auth.enrollMFAWebAuthn({
  deviceType: 'CrossPlatform',
  webauthnToken: more.webauthnToken,
  options: await makePasskey('other', more.options),
});
const two = (await login()).mfaDevices.webauthn;
assert.deepEqual(two.map((device) => device.deviceType), ['Platform', 'CrossPlatform']);
ContextHolder.for('default').setAccessToken(inside.user.accessToken);
assert.deepEqual((await api.auth.getMFADevices()).webauthn.map((device) => device.id), two.map((device) => device.id));
const removal = await api.auth.preDisableMFAWebAuthn(two[1].id);
await api.auth.disableMFAWebAuthn(two[1].id, {
  webauthnToken: removal.webauthnToken,
  options: await usePasskey('other', removal.options),
});
assert.deepEqual((await login()).mfaDevices.webauthn.map((device) => device.id), [mine]);

leave();
