// From a first factor to a session; and from a session that has proved too little to one that has proved enough.

import { call, post, refusal } from './call.js';
import * as passkey from './passkey.js';
import * as session from './session.js';
import { byId, drawKey, groups, say, show, view } from './view.js';

/** The open login: its token, what it may be answered with, and what comes after it. */
let login = null;
/** The challenge of the code that was sent. */
let otcToken = null;
/** What comes after the recovery code is kept. */
let afterwards = null;

export const isOpen = () => login !== null;

/** The login ends here. What it was to lead to, where a session asked for it, is left undone. */
export async function leave(note) {
  const back = login?.back;
  login = null;
  if (back) await back(note);
  else show('login', note);
}

/** What the server says after a first or a second factor decides where we go. `then` is where that ends. */
export async function proceed(answer, then = login?.then, back = login?.back) {
  if (!answer.mfaRequired) {
    session.begin(answer);
    login = null;
    return keep(answer, then);
  }
  const { mfaToken, mfaDevices, mfaStrategies, qrCode, secret } = answer;
  login = {
    then, back, mfaToken, qrCode, secret,
    app: mfaDevices.authenticators.length > 0,
    mailbox: mfaDevices.emails[0]?.email,
    phone: mfaDevices.phones[0],
    passkey: passkey.usable && mfaDevices.webauthn[0]?.id,
    mayMakePasskey: passkey.usable && answer.mfaEnrolled === false && mfaStrategies.some((name) => name.startsWith('WebAuthn')),
    mayEnrolPhone: answer.mfaEnrolled === false && mfaStrategies.includes('SMS'),
  };
  otcToken = null;
  await offerRemembering();
  offerOthers();
  if (qrCode) return open('enrol');
  if (login.mayMakePasskey) return open('make-passkey');
  if (login.mayEnrolPhone) return open('enrol-phone');
  if (login.passkey) return open('passkey');
  if (login.app) return open('app');
  if (login.phone) return text();
  if (login.mailbox) return mail();
  if (mfaDevices.webauthn.length > 0) throw refusal('Your passkey does not work in this browser, or at this address');
  throw refusal('Your account needs a second factor that this page does not know');
}

/** A session that has to prove itself anew does so, and then goes on; or goes back. */
export async function stepUp(then, back) {
  await proceed(await session.ask('POST', 'auth/v1/user/step-up/generate', {}), then, back);
}

/** Shows a way of answering the open login. */
export function open(name) {
  show(name, login?.back && 'This changes how you log in. Please confirm that it is you.');
  if (name === 'enrol') drawKey(view('enrol'), login, byId('email').value.trim());
}

/** Shows the recovery code, where there is a new one, and goes on when it is kept. */
export function keep({ recoveryCode, recoveryCodes = [recoveryCode] }, then) {
  if (!recoveryCode) return then();
  afterwards = then;
  show('saved');
  byId('recovery').textContent = recoveryCodes.map((code) => groups(code.replaceAll('-', ''), '-')).join('\n');
}

/** The other ways are offered where they are open; and no way out that a step-up has not. */
function offerOthers() {
  const { mailbox, phone, app, passkey: key, mayMakePasskey, mayEnrolPhone, qrCode, back } = login;
  const offered = {
    mail: mailbox, phone, app, passkey: key, recover: !back,
    enrol: qrCode, 'make-passkey': mayMakePasskey, 'enrol-phone': mayEnrolPhone,
  };
  for (const other of document.querySelectorAll('[data-other]')) other.hidden = !offered[other.dataset.other];
  for (const button of document.querySelectorAll('[data-leave=""]')) button.textContent = back ? 'Cancel' : 'Start again';
}

/** The box is shown where the policy allows it. Without an answer we go on without the box. */
async function offerRemembering() {
  const route = `configurations/v1/mfa-policy/allow-remember-device?mfaToken=${encodeURIComponent(login.mfaToken)}`;
  const { isAllowedToRemember = false, mfaDeviceExpiration = 0 } = await call('GET', route).catch(() => ({}));
  const days = Math.max(1, Math.floor(mfaDeviceExpiration / 86400));
  for (const label of document.querySelectorAll('[data-remember]')) {
    label.hidden = !isAllowedToRemember || Boolean(login.back);
    label.querySelector('input').checked = false;
    label.querySelector('span').textContent = `Remember this device for ${days === 1 ? 'a day' : `${days} days`}`;
  }
}

export async function mail() {
  ({ otcToken } = await post('auth/v1/user/mfa/emailcode', { mfaToken: login.mfaToken }));
  open('mail');
  byId('mailbox').textContent = login.mailbox;
  say(`A code was sent to ${login.mailbox}`);
}

/** By SMS, or by what is named. */
export async function text(channel) {
  const { id, phoneNumber } = login.phone;
  ({ otcToken } = await post(`auth/v1/user/mfa/sms/${id}`, { mfaToken: login.mfaToken, ...by(channel) }));
  open('phone');
  byId('number').textContent = phoneNumber;
  say(`A code was sent to ${phoneNumber}`);
}

export function code(data) {
  const digits = data.get('code').replace(/\s/g, '');
  if (!/^[0-9]{6}$/.test(digits)) throw refusal('A code has six digits');
  return digits;
}

/** How a code is to be sent, for the body of a request. */
export const by = (channel) => (channel ? { channel } : {});
export const chosen = (data) => by(data.get('whatsapp') === 'on' && 'whatsapp');

const checked = (data) => data.get('remember') === 'on';

/** What each view's form does. */
export const forms = {
  async enrol(data) {
    const body = { mfaToken: login.mfaToken, token: code(data), rememberDevice: checked(data) };
    await proceed(await post('auth/v1/user/mfa/authenticator/enroll/verify', body));
  },
  async 'make-passkey'(data) {
    const { mfaToken } = login;
    const { webauthnToken, options } = await post('auth/v1/user/mfa/webauthn/enroll', { mfaToken });
    const made = await passkey.create(options);
    const body = { mfaToken, webauthnToken, rememberDevice: checked(data), ...made };
    await proceed(await post('auth/v1/user/mfa/webauthn/enroll/verify', body));
  },
  async 'enrol-phone'(data) {
    const body = { mfaToken: login.mfaToken, phoneNumber: data.get('number').trim(), ...chosen(data) };
    const sent = await post('auth/v1/user/mfa/sms/enroll', body);
    otcToken = sent.otcToken;
    open('enrol-phone-code');
    byId('enrol-sent').textContent = sent.phoneNumber;
    say(`A code was sent to ${sent.phoneNumber}`);
  },
  async 'enrol-phone-code'(data) {
    const body = { mfaToken: login.mfaToken, otcToken, code: code(data), rememberDevice: checked(data) };
    await proceed(await post('auth/v1/user/mfa/sms/enroll/verify', body));
  },
  async passkey(data) {
    const { mfaToken } = login;
    const route = `auth/v1/user/mfa/webauthn/${login.passkey}`;
    const { webauthnToken, options } = await post(route, { mfaToken });
    const signed = await passkey.get(options);
    const body = { mfaToken, webauthnToken, rememberDevice: checked(data), options: signed };
    await proceed(await post(`${route}/verify`, body));
  },
  async app(data) {
    const body = { mfaToken: login.mfaToken, value: code(data), rememberDevice: checked(data) };
    await proceed(await post('auth/v1/user/mfa/verify', body));
  },
  async mail(data) {
    const body = { mfaToken: login.mfaToken, otcToken, code: code(data), rememberDevice: checked(data) };
    await proceed(await post('auth/v1/user/mfa/emailcode/verify', body));
  },
  async phone(data) {
    const body = { mfaToken: login.mfaToken, otcToken, code: code(data), rememberDevice: checked(data) };
    await proceed(await post(`auth/v1/user/mfa/sms/${login.phone.id}/verify`, body));
  },
  async saved(data) {
    if (data.get('kept') !== 'on') throw refusal('Put it in a safe place first: it is not shown again');
    await afterwards();
  },
  async recover(data) {
    const email = data.get('email').trim();
    await post('auth/v1/user/mfa/recover', { email, recoveryCode: data.get('recovery').trim() });
    byId('email').value = email;
    show('login', 'Your second factor is removed. Log in with your password to set up a new one.');
  },
};
