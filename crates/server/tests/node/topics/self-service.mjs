// What a user does on the account page: several apps, added and removed, and MFA turned off where the tenant allows it.

import assert from 'node:assert/strict';

import { api, act, assertLoggedIn, assertRefused, at, challenged, enrolledUser, freshBrowser, goTo, login } from '../client.mjs';
import { appCode, mailedCode, scan, vendorToken, wrongCode } from '../person.mjs';

export default async function drive() {
  const { who: jan, home, accessToken } = await enrolledUser('jan');
  const other = await sessionElsewhere(jan);
  goTo(home);

  act(accessToken);
  const devices = await api.getMFADevices();
  assert.deepEqual([devices.authenticators.length, devices.webauthn, devices.phones], [1, [], []]);
  await add('work', api.preEnrollMFAAuthenticatorApp, api.enrollMFAAuthenticatorApp);
  assert.equal((await asked(jan)).length, 2);
  act(accessToken);
  await add('spare', api.enrollMfa, api.verifyMfa);
  const three = await asked(jan);
  assert.equal(three.length, 3);
  act(accessToken);
  assert.deepEqual((await api.getMFADevices()).authenticators.map(({ id }) => id), three);

  const spare = three.at(-1);
  const wrong = { token: await wrongCode('spare') };
  await assertRefused(api.disableMFAAuthenticatorApp(spare, wrong), 400, 'ER-01011');
  act(other);
  await api.getMFADevices();
  act(accessToken);
  await api.disableMFAAuthenticatorApp(spare, { token: await appCode('spare') });
  assert.deepEqual(await asked(jan), three.slice(0, 2), 'the removed one is not asked for');
  act(other);
  await assertRefused(api.getMFADevices(), 401, 'ER-00401');

  await turnOff(jan, accessToken);
}

/** The apps that the next login lists. */
const asked = async (who) => (await challenged(who)).mfaDevices.authenticators.map(({ id }) => id);

async function add(app, begin, finish) {
  const { qrCode } = await begin();
  assert.equal((await begin()).qrCode, qrCode, 'the same secret each time');
  await scan(app, qrCode);
  await assertRefused(finish({ token: await wrongCode(app) }), 400, 'ER-01011');
  await finish({ token: await appCode(app) });
}

async function turnOff(jan, accessToken) {
  act(accessToken);
  const proof = { token: await appCode('work') };
  await assertRefused(api.disableMfa(proof), 403, 'ER-00463');
  await enforce('DontForce');
  act(accessToken);
  await assertRefused(api.disableMfa({ token: await wrongCode('work') }), 400, 'ER-01011');
  await api.disableMfa(proof);
  assert.equal((await login(jan)).mfaRequired, false, 'nothing is asked for');
  act(accessToken);
  const { authenticators } = await api.getMFADevices();
  assert.deepEqual(authenticators, [], 'the session that asked lives on');
  const told = await assertRefused(api.disableMfa({ token: '123456' }), 400, 'ER-01097');
  assert.deepEqual(told.errors, ['MFA is not enrolled']);
  await enforce('Force');
  assert.equal((await challenged(jan)).mfaEnrolled, false);
}

async function enforce(enforceMFAType) {
  at({ headers: { 'frontegg-tenant-id': 'demo' } });
  act(await vendorToken());
  const { id } = await api.getMfaPolicy();
  await api.saveMfaPolicy({ id, enforceMFAType });
  at();
}

async function sessionElsewhere(who) {
  freshBrowser();
  const { mfaToken } = await challenged(who);
  const { otcToken } = await api.preVerifyMFAEmailCode({ mfaToken });
  const session = await api.verifyMFAEmailCodeV2({ mfaToken, otcToken, code: await mailedCode() });
  assertLoggedIn(session, who);
  return session.user.accessToken;
}
