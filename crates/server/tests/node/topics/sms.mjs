// Phones: under a login, and under a session.

import assert from 'node:assert/strict';

import { api, act, assertLoggedIn, assertRefused, challenged, freshBrowser, login } from '../client.mjs';
import { newUser, textedCode } from '../person.mjs';

export default async function drive() {
  await firstGeneration();
  const olga = await newUser('olga');
  const session = await secondGeneration(olga);
  await ofASession(olga, session);
}

async function firstGeneration() {
  const nell = await newUser('nell');
  const home = freshBrowser();
  const { mfaToken } = await challenged(nell);
  const phone = { mfaToken, phoneNumber: '+15555550100' };
  await assertRefused(api.preEnrollMFASMSForLogin({ ...phone, phoneNumber: '' }), 400, 'ER-000b32220f');
  const { otcToken, phoneNumber } = await api.preEnrollMFASMSForLogin(phone);
  assert.equal(phoneNumber, phone.phoneNumber);
  const code = await textedCode();
  const answer = { mfaToken, otcToken, code, rememberDevice: true };
  await assertRefused(api.enrollMFASMSForLogin({ ...answer, code: other(code) }), 400, 'ER-01011');
  const enrolled = await api.enrollMFASMSForLogin(answer);
  assert.ok(enrolled.accessToken && enrolled.recoveryCode);
  assert.equal((await login(nell)).mfaRequired, false, 'remembered');
  assert.ok(home.names().some((name) => name.startsWith('fe_device_')));

  freshBrowser();
  const [id, given] = await asked(nell, '+***00');
  assert.ok((await api.verifyMFASMSForLogin(id, { ...given, rememberDevice: true })).accessToken);
  assert.equal((await login(nell)).mfaRequired, false, 'remembered');
}

async function secondGeneration(olga) {
  freshBrowser();
  const { mfaToken } = await challenged(olga);
  const { otcToken } = await api.preEnrollMFASMSForLogin({ mfaToken, phoneNumber: '+15555550111' });
  const enrolled = await api.enrollMFASMSForLoginV2({ mfaToken, otcToken, code: await textedCode() });
  assertLoggedIn(enrolled, olga);
  assert.ok(enrolled.user.recoveryCode);

  const [id, answer] = await asked(olga, '+***11');
  await assertRefused(api.verifyMFASMSForLoginV2('ph1', answer), 400, 'ER-01011');
  const inside = await api.verifyMFASMSForLoginV2(id, answer);
  assertLoggedIn(inside, olga);
  assert.ok(inside.user.amr.includes('sms'));
  act(null);
  await assertRefused(api.verifyMFASMSForLoginV2(id, answer), 401, 'ER-00440');
  return inside.user.accessToken;
}

/** Adds a second one, and removes it. */
async function ofASession(olga, session) {
  const phones = async () => (await challenged(olga)).mfaDevices.phones.map(({ id }) => id);
  act(session);
  const { otcToken, phoneNumber } = await api.preEnrollMFASMS({ phoneNumber: '+15555550122' });
  assert.equal(phoneNumber, '+15555550122');
  const code = await textedCode();
  await assertRefused(api.enrollMFASMS({ otcToken, code: other(code) }), 400, 'ER-01011');
  await api.enrollMFASMS({ otcToken, code });
  const [mine, second] = await phones();
  assert.ok(mine && second, 'the next login asks for either');
  act(session);
  assert.deepEqual((await api.getMFADevices()).phones.map(({ id }) => id), [mine, second]);

  const removal = await api.preDisableMFASMS(second);
  const proof = { otcToken: removal.otcToken, code: await textedCode() };
  await assertRefused(api.disableMFASMS(second, { ...proof, code: other(proof.code) }), 400, 'ER-01011');
  await api.disableMFASMS(second, proof);
  assert.deepEqual(await phones(), [mine]);
  act(session);
  assert.equal((await api.getMFADevices()).phones.length, 1, 'the session that asked lives on');
}

/** Has a code sent to the one phone of a user, whose number is shown so; its id, and the answer for it. */
async function asked(who, shown) {
  const { mfaToken, mfaDevices } = await challenged(who);
  assert.deepEqual(mfaDevices.phones.map(({ phoneNumber }) => phoneNumber), [shown]);
  const [{ id }] = mfaDevices.phones;
  const { otcToken } = await api.preVerifyMFASMSForLogin(id, { mfaToken });
  return [id, { mfaToken, otcToken, code: await textedCode() }];
}

const other = (code) => (code === '000000' ? '000001' : '000000');
