// Passkeys: under a login, and under a session.

import assert from 'node:assert/strict';

import { api, act, assertLoggedIn, assertRefused, challenged, freshBrowser, login } from '../client.mjs';
import { makePasskey, newUser, usePasskey } from '../person.mjs';

export default async function drive() {
  await firstGeneration();
  const finn = await newUser('finn');
  const session = await secondGeneration(finn);
  await ofASession(finn, session);
}

async function firstGeneration() {
  const fay = await newUser('fay');
  freshBrowser();
  const { mfaToken } = await challenged(fay);
  const { webauthnToken, options: asked } = await api.preEnrollMFAWebAuthnForLogin({ mfaToken });
  const made = { deviceType: 'CrossPlatform', webauthnToken, options: await makePasskey('fay', asked) };
  const enrolled = await api.enrollMFAWebAuthnForLogin({ mfaToken, ...made, rememberDevice: false });
  assert.ok(enrolled.accessToken && enrolled.recoveryCode);

  const next = await challenged(fay);
  const [{ id, deviceType, name }] = next.mfaDevices.webauthn;
  assert.equal(deviceType, 'CrossPlatform');
  assert.ok(name.length > 0);
  const signed = await sign('fay', id, next.mfaToken, true);
  assert.ok((await api.verifyMFAWebAuthnForLogin(id, signed)).accessToken);
  assert.equal((await login(fay)).mfaRequired, false, 'remembered');
}

async function secondGeneration(finn) {
  freshBrowser();
  const { mfaToken } = await challenged(finn);
  const { webauthnToken, options: asked } = await api.preEnrollMFAWebAuthnForLogin({ mfaToken });
  const made = { mfaToken, deviceType: 'Platform', webauthnToken, options: await makePasskey('finn', asked) };
  const enrolled = await api.enrollMFAWebAuthnForLoginV2({ ...made, publicKey: asked });
  assertLoggedIn(enrolled, finn);
  assert.ok(enrolled.user.recoveryCode);

  const next = await challenged(finn);
  assert.equal(next.mfaDevices.webauthn.length, 1);
  const [{ id, deviceType }] = next.mfaDevices.webauthn;
  assert.equal(deviceType, 'Platform');
  await assertRefused(api.preVerifyMFAWebAuthnForLogin('wa1', { mfaToken: next.mfaToken }), 400, 'ER-01016');
  const signed = await sign('finn', id, next.mfaToken, false);
  const inside = await api.verifyMFAWebAuthnForLoginV2(id, signed);
  assertLoggedIn(inside, finn);
  act(null);
  await assertRefused(api.verifyMFAWebAuthnForLoginV2(id, signed), 401, 'ER-00440');
  assert.equal((await login(finn)).mfaRequired, true, 'not remembered');
  return inside.user.accessToken;
}

/** Adds a second one and removes both: the mailbox, which the first one proved, is what is left. */
async function ofASession(finn, session) {
  act(session);
  const { webauthnToken, options: asked } = await api.preEnrollMFAWebAuthn();
  const made = { deviceType: 'CrossPlatform', webauthnToken, options: await makePasskey('other', asked) };
  await api.enrollMFAWebAuthn(made);
  const ids = async () => (await challenged(finn)).mfaDevices.webauthn.map(({ id }) => id);
  const [mine, other] = await ids();
  assert.ok(mine && other, 'the next login asks for either');
  act(session);
  const { webauthn } = await api.getMFADevices();
  assert.deepEqual(webauthn.map(({ id, deviceType }) => [id, deviceType]), [[mine, 'Platform'], [other, 'CrossPlatform']]);

  await remove('other', other);
  assert.deepEqual(await ids(), [mine]);
  act(session);
  await remove('finn', mine);
  const left = await challenged(finn);
  assert.deepEqual([left.mfaEnrolled, left.mfaDevices.webauthn, left.mfaDevices.emails.length], [true, [], 1]);
}

async function remove(name, id) {
  const { webauthnToken, options } = await api.preDisableMFAWebAuthn(id);
  return api.disableMFAWebAuthn(id, { webauthnToken, options: await usePasskey(name, options) });
}

async function sign(name, id, mfaToken, rememberDevice) {
  const { webauthnToken, options } = await api.preVerifyMFAWebAuthnForLogin(id, { mfaToken });
  return { mfaToken, webauthnToken, options: await usePasskey(name, options), rememberDevice };
}
