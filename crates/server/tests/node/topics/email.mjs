// Logging in by a mailed code; and recovering, when the phone is lost.

import assert from 'node:assert/strict';

import { api, act, assertLoggedIn, assertRefused, challenged, enrolledUser, freshBrowser, goTo, login } from '../client.mjs';
import { appCode, mailedCode, wrongCode } from '../person.mjs';

export default async function drive() {
  await code();
  await codeAndRecovery();
}

async function code() {
  const { who: dora } = await enrolledUser('dora');
  const home = freshBrowser();
  const { mfaToken, mfaDevices, mfaStrategies } = await challenged(dora);
  assert.deepEqual(mfaDevices.emails, [{ email: 'd***@e***.com' }]);
  assert.ok(mfaStrategies.includes('EmailCode'));
  const { otcToken } = await api.preVerifyMFAEmailCode({ mfaToken });
  await assertRefused(api.preVerifyMFAEmailCode({ mfaToken }), 429, 'ER-00429');
  const right = await mailedCode();
  const answer = { mfaToken, otcToken, code: right, rememberDevice: true };
  const other = { ...answer, code: right === '000000' ? '000001' : '000000' };
  await assertRefused(api.verifyMFAEmailCode(other), 400, 'ER-01011');
  assert.ok((await api.verifyMFAEmailCode(answer)).accessToken);
  assert.equal((await login(dora)).mfaRequired, false, 'remembered');
  act(null);
  await assertRefused(api.verifyMFAEmailCode(answer), 401, 'ER-00440');
  assert.ok(home.names().some((name) => name.startsWith('fe_device_')));
}

async function codeAndRecovery() {
  const { who: emil, home, recoveryCode } = await enrolledUser('emil');
  const remembered = { mfaToken: (await challenged(emil)).mfaToken, value: await appCode('emil'), rememberDevice: true };
  const session = await api.loginWithMfaV2(remembered);
  assert.equal((await login(emil)).mfaRequired, false, 'remembered');

  freshBrowser();
  const { mfaToken } = await challenged(emil);
  const { otcToken } = await api.preVerifyMFAEmailCode({ mfaToken });
  const answer = { mfaToken, otcToken, code: await mailedCode() };
  assertLoggedIn(await api.verifyMFAEmailCodeV2(answer), emil);

  act(null);
  const { email } = emil;
  await assertRefused(api.recoverMfaToken({ email, recoveryCode: '0000000000000000' }), 400, 'ER-00460');
  await challenged(emil);
  act(null);
  assert.deepEqual(await api.recoverMfaToken({ email, recoveryCode }), {});
  const recovered = await challenged(emil);
  assert.equal(recovered.mfaEnrolled, false);
  assert.deepEqual(recovered.mfaDevices.authenticators, [], 'the factors are gone');
  assert.ok(recovered.qrCode, 'this browser may enrol');
  await assertRefused(api.recoverMfaToken({ email, recoveryCode }), 400, 'ER-00460');

  goTo(home);
  assert.equal((await login(emil)).mfaRequired, true, 'no browser is remembered any more');
  act(session.user.accessToken);
  await assertRefused(api.getMFADevices(), 401, 'ER-00401');
  act(null);
  const stale = { mfaToken, value: await wrongCode('emil') };
  await assertRefused(api.loginWithMfaV2(stale), 401, 'ER-00440');
}
