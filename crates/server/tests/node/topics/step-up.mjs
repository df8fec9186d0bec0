// A session whose login skipped the second factor proves it after all.

import assert from 'node:assert/strict';

import { api, act, assertChallenged, assertLoggedIn, assertRefused, challenged, enrolledUser, login } from '../client.mjs';
import { appCode, mailedCode } from '../person.mjs';

const MULTI_FACTOR = 'http://schemas.openid.net/pape/policies/2007/06/multi-factor';

export default async function drive() {
  const { who: gail } = await enrolledUser('gail');
  const { mfaToken } = await challenged(gail);
  await api.loginWithMfaV2({ mfaToken, value: await appCode('gail'), rememberDevice: true });
  const remembered = await login(gail);
  assert.ok(remembered.amr.includes('remembered') && !remembered.amr.includes('mfa'));
  assert.equal(remembered.acr, undefined);
  await assertRefused(api.preEnrollMFAAuthenticatorApp(), 403, 'ER-00462');

  const asked = await api.generateStepupSession({ maxAge: 3600 });
  assertChallenged(asked);
  assert.equal(asked.mfaDevices.authenticators.length, 1);
  act(null);
  const { otcToken } = await api.preVerifyMFAEmailCode({ mfaToken: asked.mfaToken });
  const proof = { mfaToken: asked.mfaToken, otcToken, code: await mailedCode() };
  const proved = await api.verifyMFAEmailCodeV2(proof);
  assertLoggedIn(proved, gail);
  assert.equal(proved.user.acr, MULTI_FACTOR);
  assert.ok(proved.user.amr.includes('mfa') && proved.user.auth_time >= remembered.iat);

  const again = await api.generateStepupSession({ maxAge: 3600 });
  assert.equal(again.user.accessToken, proved.user.accessToken, 'it was proved lately enough');
  assert.ok((await api.preEnrollMFAAuthenticatorApp()).qrCode, 'what was refused is granted');
  act(null);
  await assertRefused(api.generateStepupSession({ maxAge: 3600 }), 401, 'ER-00401');
}
