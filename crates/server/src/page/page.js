// The whole job on one page, by the public routes alone: log in, enrol, confirm, verify, recover, sign out.
// What is secret stays in this module's memory and leaves with the page.

import * as passkey from './passkey.js';

const BASE = '/identity/resources/';
const SERVICE = document.querySelector('header span').textContent;

/** The open login: its token, what it may be answered with, and whether the browser may be remembered. */
let login = null;
/** The challenge of the code that was mailed. */
let otcToken = null;
/** The tokens of the session. */
let session = null;

const view = (name) => document.querySelector(`[data-view="${name}"]`);
const byId = (id) => document.getElementById(id);
const say = (text) => { byId('status').textContent = text; };

/** A refusal, in the words of the server. */
class Refusal extends Error {
  constructor(status, body, retryAfter) {
    const wait = retryAfter > 1 ? ` (in ${wording(retryAfter)})` : '';
    super(`${(body.errors ?? ['The server gave no answer. Please try again']).join(', ')}${wait}.`);
    this.status = status;
  }
}

function wording(seconds) {
  if (seconds < 90) return `${seconds} seconds`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 90 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`;
}

async function call(method, route, body, bearer) {
  const headers = { 'content-type': 'application/json' };
  if (bearer) headers.authorization = `Bearer ${bearer}`;
  let response;
  try {
    response = await fetch(BASE + route, { method, headers, body: body && JSON.stringify(body), credentials: 'same-origin' });
  } catch {
    throw new Refusal(0, { errors: ['The server cannot be reached. Are you online?'] });
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refusal(response.status, answer, Number(response.headers.get('retry-after')));
  return answer;
}

const post = (route, body) => call('POST', route, body);

/** Shows one view and nothing else, and moves the focus to where one goes on. */
function show(name, note) {
  for (const section of document.querySelectorAll('[data-view]')) section.hidden = section.dataset.view !== name;
  const section = view(name);
  const form = section.querySelector('form');
  complain(form, null);
  for (const input of form.querySelectorAll('.code, [type="password"]')) input.value = '';
  for (const details of section.querySelectorAll('details')) details.open = false;
  const noted = section.querySelector('[data-note]');
  if (noted) { noted.hidden = !note; noted.textContent = note ?? ''; }
  const title = section.querySelector('h1');
  document.title = `${title.textContent} – ${SERVICE}`;
  const empty = [...form.querySelectorAll('input:not([type="checkbox"])')].find((input) => !input.value);
  (empty && name !== 'enrol' ? empty : title).focus();
  window.scrollTo(0, 0);
}

function complain(form, text) {
  const alert = form.querySelector('.alert');
  alert.id ||= `alert-${form.closest('section').dataset.view}`;
  alert.textContent = text ?? '';
  alert.hidden = !text;
  for (const input of form.querySelectorAll('input:not([type="checkbox"])')) {
    if (text) { input.setAttribute('aria-invalid', 'true'); input.setAttribute('aria-describedby', alert.id); }
    else { input.removeAttribute('aria-invalid'); input.removeAttribute('aria-describedby'); }
  }
}

/** What the server says after a first or a second factor decides where we go. */
async function proceed(answer) {
  if (!answer.mfaRequired) {
    session = answer;
    login = null;
    if (!answer.recoveryCode) return arrive();
    byId('recovery').textContent = answer.recoveryCode.match(/.{1,4}/g).join('-');
    return show('saved');
  }
  const { mfaToken, mfaDevices, mfaStrategies } = answer;
  login = {
    mfaToken,
    hasApp: mfaDevices.authenticators.length > 0,
    mailbox: mfaDevices.emails[0]?.email,
    passkey: passkey.usable && mfaDevices.webauthn[0]?.id,
    mayMakePasskey: passkey.usable && answer.mfaEnrolled === false && mfaStrategies.some((name) => name.startsWith('WebAuthn')),
    mayScan: Boolean(answer.qrCode),
  };
  otcToken = null;
  await offerRemembering();
  for (const other of document.querySelectorAll('[data-other]')) {
    other.hidden = !{
      mail: login.mailbox, app: login.hasApp, passkey: login.passkey, 'make-passkey': login.mayMakePasskey, enrol: login.mayScan,
    }[other.dataset.other];
  }
  if (answer.qrCode) {
    byId('qr').src = answer.qrCode;
    byId('secret').textContent = answer.secret.match(/.{1,4}/g).join(' ');
    byId('app-link').href = keyUri(answer.secret);
    return show('enrol');
  }
  if (login.mayMakePasskey) return show('make-passkey');
  if (login.passkey) return show('passkey');
  if (login.hasApp) return show('app');
  if (login.mailbox) return mail();
  if (mfaDevices.webauthn.length > 0) throw new Refusal(0, { errors: ['Your passkey does not work in this browser, or at this address'] });
  throw new Refusal(0, { errors: ['Your account needs a second factor that this page does not know'] });
}

/** Asks the browser for a passkey; whoever declines may try again. */
async function withPasskey(ask) {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    const exists = error.name === 'InvalidStateError';
    throw new Refusal(0, { errors: [exists ? 'This device has a passkey for your account already' : 'No passkey was used. Please try again'] });
  }
}

/** What the picture says, for a phone that cannot photograph its own screen. */
function keyUri(secret) {
  const [service, account] = [SERVICE, byId('email').value.trim()].map(encodeURIComponent);
  return `otpauth://totp/${service}:${account}?secret=${secret}&issuer=${service}`;
}

/** The box is shown where the policy allows it. Without an answer we go on without the box. */
async function offerRemembering() {
  const route = `configurations/v1/mfa-policy/allow-remember-device?mfaToken=${encodeURIComponent(login.mfaToken)}`;
  const { isAllowedToRemember = false, mfaDeviceExpiration = 0 } = await call('GET', route).catch(() => ({}));
  const days = Math.max(1, Math.floor(mfaDeviceExpiration / 86400));
  for (const label of document.querySelectorAll('[data-remember]')) {
    label.hidden = !isAllowedToRemember;
    label.querySelector('input').checked = false;
    label.querySelector('span').textContent = `Remember this device for ${days === 1 ? 'a day' : `${days} days`}`;
  }
}

async function mail() {
  ({ otcToken } = await post('auth/v1/user/mfa/emailcode', { mfaToken: login.mfaToken }));
  byId('mailbox').textContent = login.mailbox;
  show('mail');
  say(`A code was sent to ${login.mailbox}`);
}

async function arrive() {
  const me = await call('GET', 'users/v2/me', undefined, session.accessToken);
  const { activeTenant } = await call('GET', 'users/v3/me/tenants', undefined, session.accessToken);
  const { amr = [] } = JSON.parse(atob(session.accessToken.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')));
  byId('who').textContent = me.email ?? me.name;
  byId('tenant').textContent = activeTenant.name;
  byId('proof').textContent = amr.includes('hwk') ? 'Password and passkey'
    : amr.includes('mfa') ? 'Password and code'
    : amr.includes('remembered') ? 'Password, on a remembered device' : 'Password';
  show('done');
}

const checked = (data) => data.get('remember') === 'on';

/** What each view's form does. */
const submit = {
  async login(data) {
    await proceed(await post('auth/v1/user', { email: data.get('email').trim(), password: data.get('password') }));
  },
  async enrol(data) {
    const body = { mfaToken: login.mfaToken, token: code(data), rememberDevice: checked(data) };
    await proceed(await post('auth/v1/user/mfa/authenticator/enroll/verify', body));
  },
  async 'make-passkey'(data) {
    const { mfaToken } = login;
    const { webauthnToken, options } = await post('auth/v1/user/mfa/webauthn/enroll', { mfaToken });
    const made = await withPasskey(() => passkey.create(options));
    const body = { mfaToken, webauthnToken, rememberDevice: checked(data), ...made };
    await proceed(await post('auth/v1/user/mfa/webauthn/enroll/verify', body));
  },
  async passkey(data) {
    const { mfaToken } = login;
    const route = `auth/v1/user/mfa/webauthn/${login.passkey}`;
    const { webauthnToken, options } = await post(route, { mfaToken });
    const signed = await withPasskey(() => passkey.get(options));
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
  async saved(data) {
    if (data.get('kept') !== 'on') throw new Refusal(0, { errors: ['Put the code in a safe place first: it is not shown again'] });
    byId('recovery').textContent = '';
    await arrive();
  },
  async recover(data) {
    const email = data.get('email').trim();
    await post('auth/v1/user/mfa/recover', { email, recoveryCode: data.get('recovery').trim() });
    byId('recover-code').value = '';
    byId('email').value = email;
    show('login', 'Your second factor is removed. Log in with your password to set up a new one.');
  },
  async done() {
    session = null;
    await post('auth/v1/logout', {});
    show('login', 'You are signed out.');
  },
};

function code(data) {
  const digits = data.get('code').replace(/\s/g, '');
  if (!/^[0-9]{6}$/.test(digits)) throw new Refusal(0, { errors: ['A code has six digits'] });
  return digits;
}

/** Runs what a button asks for: once at a time, and with its refusal told where one looks. */
async function run(form, button, task) {
  if (button.disabled) return;
  button.disabled = true;
  complain(form, null);
  try {
    await task();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.status === 401 && login) {
      login = null;
      return show('login', 'Your login has expired. Please log in again.');
    }
    complain(form, error.message);
    const input = form.querySelector('input.code, input[type="password"]');
    if (input) { input.focus(); input.select(); }
  } finally {
    button.disabled = false;
  }
}

for (const [name, task] of Object.entries(submit)) {
  const form = view(name).querySelector('form');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    run(form, form.querySelector('[type="submit"]'), () => task(new FormData(form)));
  });
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('button[type="button"]');
  if (!button) return;
  const form = button.closest('section').querySelector('form');
  if ('send' in button.dataset) return run(form, button, mail);
  if (button.dataset.copy) return copy(button);
  if (button.dataset.go === 'login') login = null;
  if (button.dataset.go === 'recover') byId('recover-email').value = byId('email').value;
  if (button.dataset.go) show(button.dataset.go);
});

async function copy(button) {
  const text = byId(button.dataset.copy).textContent.replaceAll(' ', '');
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
    say('Copied');
  } catch {
    getSelection().selectAllChildren(byId(button.dataset.copy));
    say('Selected. Copy it with your keyboard');
  }
}

show('login');
