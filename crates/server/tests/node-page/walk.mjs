// Walks the whole page as its user would, and looks at each view: node walk.mjs CHROMIUM URL EMAIL PASSWORD

import assert from 'node:assert/strict';
import { appCode, leave, mailedCode, moves, say, scan, textedBy, textedCode } from './person.mjs';
import { Screen } from './screen.mjs';

const [executablePath, url, email, password] = process.argv.slice(2);
const screen = await Screen.open(executablePath, url);
const R = '/identity/resources';

const isShown = (css) => screen.page.isVisible(css);
const rows = (list) => screen.shown(`#${list} li`).count();

async function logIn(at = screen) {
  await at.sees('login');
  await at.write('#email', email);
  await at.write('#password', password);
  await at.submit();
}

async function signOut() {
  await screen.sees('done');
  await screen.submit();
  await screen.sees('login');
}

async function arrived(proof) {
  await screen.sees('done');
  assert.equal(await screen.text('#proof'), proof);
  assert.equal(await screen.text('#who'), email);
}

const picture = () => screen.shown('.qr img').getAttribute('src');

/** What must be in the document no longer once its view is left. */
async function assertNoSecrets() {
  const left = await screen.page.evaluate(() => [
    ...[...document.querySelectorAll('code')].map((code) => code.textContent),
    ...[...document.querySelectorAll('.qr img')].map((image) => image.getAttribute('src')),
    ...[...document.querySelectorAll('details a')].map((link) => link.getAttribute('href')),
    ...[...document.querySelectorAll('.code, .mono, [type="password"]')].map((input) => input.value),
  ].filter(Boolean));
  assert.deepEqual(left, [], 'a secret stayed in the document');
}

say('a mailed link asks before it acts, also where the page is open, and leaves the address');
for (const open of [() => screen.page.goto(`${url}#tries=none`), () => screen.page.evaluate(() => { location.hash = 'tries=none'; })]) {
  await screen.sees('login');
  await open();
  await screen.sees('tries');
  assert.equal(new URL(screen.page.url()).hash, '');
  await screen.submit();
  await screen.says('.alert', 'This link has expired');
  await screen.page.reload();
}

say('a wrong password is told');
await screen.sees('login');
await screen.write('#email', email);
await screen.write('#password', `${password}x`);
await screen.submit();
await screen.says('.alert', 'Incorrect email or password');
assert.equal(await screen.page.evaluate(() => document.activeElement.id), 'password');
await screen.look('login-refused');

say('log in and enrol an app, by the keyboard alone');
await screen.page.reload();
await screen.sees('login');
assert.equal(await screen.page.evaluate(() => document.activeElement.id), 'email');
await screen.type(email);
await screen.tab('#password');
await screen.type(password);
await screen.press('Enter');
await screen.sees('enrol');
await scan('first', await picture());
await screen.tab('summary');
await screen.press('Enter');
await screen.look('enrol-by-hand');
await screen.tab('#enrol-code');
await screen.type(await appCode('first'));
await screen.press('Enter');
await screen.sees('saved');
const recovery = await screen.text('#recovery');
assert.match(recovery, /^[0-9A-Z]{4}(-[0-9A-Z]{4}){3}$/);
await screen.tab('[name="kept"]');
await screen.press('Space');
await screen.tab('[data-view="saved"] [type="submit"]');
await screen.press('Enter');
await arrived('Password and code');
await assertNoSecrets();

say('add a passkey, a second app and a phone');
await screen.click('[data-act="devices"]');
await screen.sees('devices');
assert.deepEqual([await rows('apps'), await rows('passkeys')], [1, 0]);
await screen.click('#add-passkey');
await screen.sees('add-passkey');
await screen.write('#passkey-label', 'This laptop');
await screen.submit();
await screen.says('[data-note]', 'The passkey is added.');
await screen.says('#passkeys', 'This laptop');
await screen.click('[data-act="add-app"]');
await screen.sees('add-app');
await scan('second', await picture());
await screen.write('#label', 'Tablet');
await screen.write('#add-code', await appCode('second'));
await screen.submit();
await screen.says('[data-note]', 'The app is added.');
await assertNoSecrets();
await screen.click('[data-act="add-phone"]');
await screen.sees('add-phone');
await screen.write('#add-number', '+1 202-555-0143');
await screen.write('#phone-label', 'Work');
await screen.submit();
await screen.sees('prove-phone');
assert.equal(await screen.text('#new-number'), '+12025550143');
await screen.write('.code', await textedCode());
await screen.submit();
await screen.says('[data-note]', 'The phone is added.');
await screen.says('#phones', 'Work, +12025550143');
assert.deepEqual([await rows('apps'), await rows('passkeys'), await rows('phones')], [2, 1, 1]);
await screen.look('devices-full');

say('replace the recovery code');
await screen.says('#left', 'You have a recovery code.');
await screen.click('#replace-recovery');
await screen.confirm();
await screen.sees('saved');
const replaced = await screen.text('#recovery');
assert.notEqual(replaced, recovery);
await screen.click('[name="kept"]');
await screen.submit();
await screen.says('[data-note]', 'The old recovery code is worth nothing any more.');
await assertNoSecrets();
await screen.click('[data-act="arrive"]');
await signOut();

say('log in by the passkey');
await logIn();
await screen.sees('passkey');
await screen.submit();
await arrived('Password and passkey');
await signOut();

say('log in by a mailed code');
await logIn();
await screen.sees('passkey');
await screen.click('[data-send]');
await screen.sees('mail');
await screen.write('.code', '12');
await screen.submit();
await screen.says('.alert', 'A code has six digits');
await screen.write('.code', await mailedCode());
await screen.submit();
await arrived('Password and code');
await signOut();

say('log in by a code to the phone');
await logIn();
await screen.sees('passkey');
await screen.click('[data-text]');
await screen.sees('phone');
await screen.write('.code', await textedCode());
await screen.submit();
await arrived('Password and code');
await signOut();

say('log in by a code by WhatsApp');
await logIn();
await screen.sees('passkey');
await screen.click('[data-text]');
await screen.sees('phone');
const bySms = await textedCode();
await screen.click('[data-text="whatsapp"]');
await screen.says('.alert', /wait|again/i);
await screen.write('.code', bySms);
await screen.submit();
await arrived('Password and code');
await signOut();

say('log in by the app, and be remembered');
await logIn();
await screen.sees('passkey');
await screen.click('[data-go="app"]');
await screen.sees('app');
await screen.click('[name="remember"]');
await screen.write('.code', await appCode('second'));
await screen.submit();
await arrived('Password and code');
await signOut();
await logIn();
await arrived('Password, on a remembered device');

say('log in at another browser, and forget that one, then all');
const other = await Screen.open(executablePath, url);
await logIn(other);
await other.sees('passkey');
await other.click('[data-go="app"]');
await other.sees('app');
await other.write('.code', await appCode('first'));
await other.submit();
await other.sees('done');
// The access token ends meanwhile: it is replaced, and nobody notices.
await screen.page.route('**/users/v1/mfa/devices', (route) => route.fulfill({ status: 401, json: {} }), { times: 1 });
await screen.click('[data-act="devices"]');
await screen.sees('devices');
assert.equal(await rows('browsers'), 2);
await screen.says('#browsers', /This one, last used .*, remembered until/);
await screen.look('browsers');
await screen.page.locator('#browsers li').filter({ hasNotText: 'This one' }).getByRole('button').click();
await screen.says('[data-note]', 'is forgotten');
assert.equal(await rows('browsers'), 1);
await screen.click('#forget-all');
await screen.confirm();
await screen.says('[data-note]', 'Every browser is forgotten.');
assert.equal(await rows('browsers'), 0);

say('what cannot be reached is told');
await screen.page.route('**/authenticator/enroll', (route) => route.abort(), { times: 1 });
await screen.click('[data-act="add-app"]');
await screen.says('.alert', 'The server cannot be reached: you may be offline.');
await screen.look('offline');

say('remove an app, which a session without a second factor must step up for');
await screen.click('[aria-label="Remove Tablet"]');
await screen.confirm();
await screen.sees('passkey', 'step-up');
assert.ok(!await isShown('[data-view="passkey"] [data-go="recover"]'), 'no way out that a step-up has not');
await screen.click('[data-leave]');
await screen.sees('devices');
assert.equal(await rows('apps'), 2, 'nothing is done without the proof');
await screen.click('[aria-label="Remove Tablet"]');
await screen.confirm();
await screen.sees('passkey', 'step-up');
await screen.submit();
await screen.says('[data-note]', 'Tablet is removed');
assert.equal(await rows('apps'), 1);

say('sign out everywhere');
await screen.submit();
await screen.confirm();
await screen.sees('login');
await screen.says('[data-note]', 'You are signed out everywhere.');
await other.click('[data-act="devices"]');
await other.sees('login');
await other.says('[data-note]', 'Your session has ended.');
await logIn();
await screen.sees('passkey');

say('recover, and begin anew with a passkey');
await screen.click('[data-go="recover"]');
await screen.sees('recover');
await screen.write('#recover-code', 'AAAA-AAAA-AAAA-AAAA');
await screen.submit();
await screen.says('.alert', 'Invalid recovery code');
await screen.write('#recover-code', recovery);
await screen.submit();
await screen.says('.alert', 'Invalid recovery code');
await screen.write('#recover-code', replaced);
await screen.submit();
await screen.sees('login');
await screen.says('[data-note]', 'Your second factor is removed');
await assertNoSecrets();
await logIn();
await screen.sees('enrol');
await screen.click('[data-go="make-passkey"]');
await screen.sees('make-passkey');
await screen.submit();
await screen.sees('saved');
assert.notEqual(await screen.text('#recovery'), replaced);
await screen.click('[name="kept"]');
await screen.submit();
await arrived('Password and passkey');

say('replace the passkey by an app');
await screen.click('[data-act="devices"]');
await screen.sees('devices');
await screen.click('[data-act="add-app"]');
await screen.sees('add-app');
await scan('third', await picture());
await screen.write('#add-code', await appCode('third'));
await screen.submit();
await screen.says('[data-note]', 'The app is added.');
await screen.click('[aria-label="Remove Passkey"]');
await screen.confirm();
await screen.says('[data-note]', 'Passkey is removed');
assert.deepEqual([await rows('apps'), await rows('passkeys')], [1, 0]);

say('recover once more, and begin anew with a phone, by WhatsApp');
await screen.click('#replace-recovery');
await screen.confirm();
await screen.sees('saved');
const last = await screen.text('#recovery');
await screen.click('[name="kept"]');
await screen.submit();
await screen.sees('devices');
await screen.click('[data-act="arrive"]');
await signOut();
await logIn();
await screen.sees('app');
await screen.click('[data-go="recover"]');
await screen.sees('recover');
await screen.write('#recover-code', last);
await screen.submit();
await screen.sees('login');
await logIn();
await screen.sees('enrol');
await screen.click('[data-go="enrol-phone"]');
await screen.sees('enrol-phone');
await screen.write('#enrol-number', '12');
await screen.submit();
await screen.says('.alert', /number/i);
await screen.write('#enrol-number', '+1 202-555-0144');
await screen.click('[name="whatsapp"]');
await screen.submit();
await screen.sees('enrol-phone-code');
assert.equal(await screen.text('#enrol-sent'), '+12025550144');
await screen.write('.code', await textedCode());
assert.equal(await textedBy(), 'whatsapp');
await screen.submit();
await screen.sees('saved');
await screen.click('[name="kept"]');
await screen.submit();
await arrived('Password and code');

say('prove an address that was changed');
await moves('new@example.com');
await screen.page.reload();
await logIn();
await screen.sees('phone');
await screen.write('.code', await textedCode());
await screen.submit();
await screen.sees('done');
await screen.click('[data-act="devices"]');
await screen.sees('devices');
await screen.says('#unproven', 'new@example.com');
await screen.look('devices-unproven');
await screen.click('#prove-email');
await screen.sees('prove-mailbox');
await screen.write('.code', await mailedCode());
await screen.submit();
await screen.says('[data-note]', 'Your address is proven.');
await screen.says('#mailboxes', 'new@example.com');

assert.deepEqual(screen.errors, ['Failed to load resource: net::ERR_FAILED'], 'the console says nothing but what was cut off');
assert.deepEqual(screen.refused, [
  `401 POST ${R}/auth/v1/user/mfa/refill`,
  `401 POST ${R}/auth/v1/user/mfa/refill`,
  `401 POST ${R}/auth/v1/user`,
  `429 POST ${R}/auth/v1/user/mfa/sms/DEVICE`,
  `401 GET ${R}/users/v1/mfa/devices`,
  `403 POST ${R}/users/v1/mfa/authenticator/DEVICE/disable/verify`,
  `403 POST ${R}/users/v1/mfa/authenticator/DEVICE/disable/verify`,
  `400 POST ${R}/auth/v1/user/mfa/recover`,
  `400 POST ${R}/auth/v1/user/mfa/recover`,
  `400 POST ${R}/auth/v1/user/mfa/sms/enroll`,
], 'nothing else is refused');
assert.deepEqual(other.errors, []);
assert.deepEqual(new Set(other.refused.map((refusal) => refusal.slice(0, 3))), new Set(['401']));
await Promise.all([screen.browser.close(), other.browser.close()]);
leave();
