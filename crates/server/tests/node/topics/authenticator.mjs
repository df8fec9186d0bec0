// Logging in by an authenticator app: forced to enrol it, asked for it, remembered, refreshed.

import assert from 'node:assert/strict';

import { api, act, assertChallenged, assertLoggedIn, assertRefused, challenged, enrolledUser, freshBrowser, login } from '../client.mjs';
import { appCode, newUser, scan, wrongCode } from '../person.mjs';

export default async function drive() {
  await firstGeneration();
  await secondGeneration();
  await oneDevice();
}

/** The functions whose answer is the user. */
async function firstGeneration() {
  const ada = await newUser('ada');
  const home = freshBrowser();
  await assertRefused(api.login({ ...ada, password: `${ada.password}x` }), 401, 'ER-01013');

  const forced = await api.login({ ...ada, recaptchaToken: '', invitationToken: '' });
  assertChallenged(forced);
  assert.equal(forced.mfaEnrolled, false);
  assert.ok(forced.mfaStrategies.includes('AuthenticatorApp'));
  assert.ok(!forced.mfaStrategies.includes('EmailCode'), 'an address that nobody proved is no factor');
  assert.deepEqual(forced.mfaDevices, { webauthn: [], phones: [], authenticators: [], emails: [] });
  const allowed = await api.checkIfAllowToRememberMfaDevice(forced.mfaToken);
  assert.deepEqual(allowed, { isAllowedToRemember: true, mfaDeviceExpiration: 1209600 });
  await assertRefused(api.checkIfAllowToRememberMfaDevice('MT'), 401, 'ER-00440');

  const { mfaToken } = forced;
  const { qrCode } = await api.preEnrollMFAAuthenticatorAppForLogin({ mfaToken });
  assert.match(qrCode, /^data:image\/png;base64,/);
  assert.equal(qrCode, forced.qrCode, 'the same secret each time');
  await scan('ada', qrCode);
  const wrong = { mfaToken, token: await wrongCode('ada'), rememberDevice: false };
  await assertRefused(api.enrollMFAAuthenticatorAppForLogin(wrong), 400, 'ER-01011');
  const enrolled = await api.enrollMFAAuthenticatorAppForLogin({ ...wrong, token: await appCode('ada') });
  assert.ok(enrolled.accessToken && enrolled.refreshToken);
  assert.ok(enrolled.recoveryCode.length >= 8, 'the form that takes it wants eight characters');

  const asked = await challenged(ada);
  assert.equal(asked.mfaEnrolled, true);
  assert.equal(asked.mfaDevices.authenticators.length, 1);
  assert.equal(asked.qrCode, undefined, 'a password alone adds no factor');
  const answer = { mfaToken: asked.mfaToken, value: await wrongCode('ada'), rememberDevice: true };
  const told = await assertRefused(api.loginWithMfa(answer), 400, 'ER-01011');
  assert.deepEqual(told.errors, ['Invalid code']);
  const user = await api.loginWithMfa({ ...answer, value: await appCode('ada') });
  assert.equal(user.email, ada.email);
  assert.ok(user.accessToken && user.amr.includes('otp'));
  assert.ok(home.names().some((name) => name.startsWith('fe_device_')));

  const skipped = await login(ada);
  assert.equal(skipped.mfaRequired, false, 'this browser is remembered');
  assert.ok(skipped.accessToken && !skipped.amr.includes('mfa'));
  freshBrowser();
  await challenged(ada);
}

/** Those whose answer is the user with the tenants. */
async function secondGeneration() {
  const { who: bob, accessToken, refreshToken } = await enrolledUser('bob');
  const refreshed = await api.refreshTokenV3();
  assertLoggedIn(refreshed, bob);
  assert.notEqual(refreshed.user.accessToken, accessToken);
  assert.notEqual(refreshed.user.refreshToken, refreshToken);

  const { mfaToken } = await challenged(bob);
  const value = await appCode('bob');
  const answer = { mfaToken, value, rememberDevice: false };
  assertLoggedIn(await api.loginWithMfaV2(answer), bob);
  act(null);
  await assertRefused(api.loginWithMfaV2(answer), 401, 'ER-00440');
  const next = await challenged(bob);
  await assertRefused(api.loginWithMfaV2({ ...answer, mfaToken: next.mfaToken }), 400, 'ER-01011');

  freshBrowser();
  await assertRefused(api.refreshTokenV3(), 401, 'ER-00401');
}

/** A device that is named. */
async function oneDevice() {
  const { who: cleo } = await enrolledUser('cleo');
  const { mfaToken, mfaDevices } = await challenged(cleo);
  const [{ id }] = mfaDevices.authenticators;
  const answer = { mfaToken, value: await appCode('cleo'), rememberDevice: true };
  const verified = await api.verifyMFAAuthenticatorAppForLogin(id, answer);
  assert.ok(verified.accessToken && verified.refreshToken);
  assert.equal((await login(cleo)).mfaRequired, false, 'remembered');
  const elsewhere = freshBrowser();
  const { mfaToken: another } = await challenged(cleo);
  const unknown = { mfaToken: another, value: await wrongCode('cleo'), rememberDevice: true };
  await assertRefused(api.verifyMFAAuthenticatorAppForLogin('au1', unknown), 400, 'ER-01011');
  await challenged(cleo);
  assert.ok(!elsewhere.names().some((name) => name.startsWith('fe_refresh_')));
}
