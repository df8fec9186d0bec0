// What a tenant and its applications ask: read by a user, changed by the service, obeyed by the next login.

import assert from 'node:assert/strict';

import { api, act, assertRefused, at, enrolledUser, freshBrowser, login } from '../client.mjs';
import { newUser, vendorToken } from '../person.mjs';

const SHOP = { 'frontegg-tenant-id': 'demo', 'frontegg-application-id': 'shop' };

export default async function drive() {
  await ofAUser();
  const vendor = await vendorToken();
  await ofAnApplication(vendor);
  await ofTheEnvironment(vendor);
}

async function ofAUser() {
  const { accessToken } = await enrolledUser('hugo');
  act(accessToken);
  const policy = await api.getMfaPolicy();
  assert.equal(policy.enforceMFAType, 'Force');
  assert.ok(policy.id && policy.createdAt && policy.updatedAt);
  assert.equal(policy.allowRememberMyDevice, true);
  const { strategies } = await api.getMFAStrategiesConfig();
  const active = strategies.filter(({ isActive }) => isActive).map(({ strategy }) => strategy);
  for (const strategy of ['AuthenticatorApp', 'EmailCode', 'WebAuthnPlatform', 'WebAuthnCrossPlatform']) {
    assert.ok(active.includes(strategy), strategy);
  }
  await assertRefused(api.saveMfaPolicy({ id: policy.id, enforceMFAType: 'DontForce' }), 403, 'ER-00403');
  assert.deepEqual(await api.getMfaPolicy(), policy, 'a user changes nothing');
}

async function ofAnApplication(vendor) {
  const ida = await newUser('ida');
  freshBrowser();
  const asksForMfa = async (appId) => {
    at({ appId });
    const { mfaRequired } = await login(ida);
    at({ headers: SHOP });
    act(vendor);
    return mfaRequired;
  };
  assert.deepEqual([await asksForMfa(), await asksForMfa('shop')], [true, true]);

  await assertRefused(api.getMfaPolicy(), 404, 'ER-00404');
  const made = await api.saveMfaPolicy({ enforceMFAType: 'DontForce' });
  assert.deepEqual([await asksForMfa(), await asksForMfa('shop')], [true, false]);
  await assertRefused(api.saveMfaPolicy({ enforceMFAType: 'Force' }), 409, 'ER-00409');

  const changed = await api.saveMfaPolicy({ id: made.id, enforceMFAType: 'Force' });
  assert.deepEqual([changed.id, changed.enforceMFAType], [made.id, 'Force']);
  assert.deepEqual(await api.getMfaPolicy(), changed);
  assert.deepEqual([await asksForMfa(), await asksForMfa('shop')], [true, true]);
  at();
}

async function ofTheEnvironment(vendor) {
  act(vendor);
  await assertRefused(api.getVendorMfaPolicy(), 404, 'ER-00404');
  const made = await api.saveMfaPolicy({ enforceMFAType: 'ForceExceptSAML' });
  assert.equal(made.enforceMFAType, 'ForceExceptSAML');
  assert.deepEqual(await api.getVendorMfaPolicy(), made);
  act(null);
  await assertRefused(api.getVendorMfaPolicy(), 401, 'ER-00401');
}
