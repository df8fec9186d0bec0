// Judges access tokens as services do, with the unmodified SDKs:
// node judge.mjs URL CLIENT_ID SECRET ISSUER AUDIENCE ALGORITHM MFA_TOKEN PLAIN_TOKEN

import assert from 'node:assert/strict';

const [url, clientId, secret, issuer, audience, algorithm, proved, plain] = process.argv.slice(2);

// Any service that reads the JWKS: Next's SDK among them.
const { createRemoteJWKSet, jwtVerify } = await import('jose');
for (const path of ['/.well-known/jwks.json', '/frontegg/.well-known/jwks.json']) {
  const keys = createRemoteJWKSet(new URL(path, url));
  const { payload, protectedHeader } = await jwtVerify(proved, keys, { issuer, audience });
  assert.equal(protectedHeader.alg, algorithm);
  assert.ok(payload.sub && payload.tenantId && payload.amr.includes('mfa'));
  const forged = `${proved.slice(0, -4)}${proved.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`;
  await assert.rejects(jwtVerify(forged, keys, { issuer, audience }));
  await assert.rejects(jwtVerify(proved, keys, { issuer, audience: 'another' }));
}

// The vendor's server SDK takes RS256 alone.
if (algorithm === 'RS256') {
  process.env.FRONTEGG_API_GATEWAY_URL = url;
  const sdk = await import('@frontegg/client');
  const { FronteggContext, IdentityClient } = sdk.default ?? sdk;
  FronteggContext.init({ FRONTEGG_CLIENT_ID: clientId, FRONTEGG_API_KEY: secret });
  const identity = IdentityClient.getInstance();
  const entity = await identity.validateIdentityOnToken(`Bearer ${proved}`, { stepUp: { maxAge: 3600 } });
  assert.equal(entity.type, 'userToken');
  assert.ok(entity.tenantId);
  await identity.validateIdentityOnToken(plain);
  // Each refusal is the SDK's own; this call asks no second kind of token after the first has refused.
  const refused = (token, options, status) =>
    assert.rejects(identity.validateToken(token, options), (error) => error.statusCode === status);
  await refused(plain, { stepUp: true }, 401);
  await refused(`${proved.slice(0, -4)}AAAA`, {}, 401);
  await refused(proved, { roles: ['admin'] }, 403);
}
console.log('done');
process.exit(0);
