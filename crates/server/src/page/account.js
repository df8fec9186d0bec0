// What a session does with its own account: devices and browsers are listed, added and removed.

import { post } from './call.js';
import { chosen, code, keep, stepUp } from './login.js';
import * as passkey from './passkey.js';
import * as session from './session.js';
import { byId, drawKey, show, view } from './view.js';

const MINE = 'users/v1/mfa/';
/** A session has to prove more for this, or anew. */
const STEP_UP = 'ER-00462';

let email = '';
/** The challenge of the code that went to a new phone or address, and what that phone is to be called. */
let otcToken = null;
let phoneLabel = '';

/** Where a login leads. */
export async function arrive() {
  const me = await session.ask('GET', 'users/v2/me');
  const { activeTenant } = await session.ask('GET', 'users/v3/me/tenants');
  email = me.email ?? me.name;
  byId('who').textContent = email;
  byId('tenant').textContent = activeTenant.name;
  byId('proof').textContent = session.proof();
  show('done');
}

/** Lists what there is. */
export async function devices(note) {
  const { authenticators, webauthn, phones, emails, unprovenEmail } = await session.ask('GET', `${MINE}devices`);
  const { strategies } = await session.ask('GET', 'configurations/v1/mfa/strategies');
  const taken = (name) => strategies.some(({ strategy, isActive }) => isActive && strategy.startsWith(name));
  const { devices: browsers } = await session.ask('GET', `${MINE}remembered-devices`);
  const { remaining } = await session.ask('GET', `${MINE}recovery-codes`);
  list('apps', authenticators, (app) => row(app.label || 'Authenticator app', times(app), 'Remove', `authenticator/${app.id}/disable/verify`));
  list('passkeys', webauthn, (key) => row(key.name, times(key), 'Remove', `webauthn/${key.id}/disable/verify`));
  list('phones', phones, (phone) => row(phone.label ? `${phone.label}, ${phone.phoneNumber}` : phone.phoneNumber, times(phone), 'Remove', `sms/${phone.id}/disable/verify`));
  list('mailboxes', emails, (mailbox) => row(mailbox.email, 'Takes codes'));
  list('browsers', browsers, (browser) => row(
    browser.label || 'A browser',
    `${browser.isCurrent ? 'This one, last' : 'Last'} used ${day(browser.lastUsedAt)}${browser.rememberedUntil ? `, remembered until ${day(browser.rememberedUntil)}` : ''}`,
    'Forget', `remembered-devices/${browser.id}`,
  ));
  byId('unproven').textContent = unprovenEmail ?? '';
  byId('prove-email').closest('[data-group]').hidden = !unprovenEmail || !taken('EmailCode');
  byId('left').textContent = remaining === 1 ? 'You have a recovery code.' : `You have ${remaining || 'no'} recovery codes.`;
  byId('replace-recovery').textContent = remaining === 1 ? 'Replace it' : 'Replace them';
  byId('replace-recovery').hidden = authenticators.length + webauthn.length + phones.length === 0;
  byId('add-app').hidden = !taken('AuthenticatorApp');
  byId('add-passkey').hidden = !passkey.usable || !taken('WebAuthn');
  byId('add-phone').hidden = !taken('SMS');
  byId('forget-all').hidden = browsers.length === 0;
  show('devices', note);
}

function list(id, items, row) {
  byId(id).replaceChildren(...items.map(row));
  byId(id).closest('[data-group]').hidden = items.length === 0 && 'optional' in byId(id).dataset;
  const none = byId(id).parentElement.querySelector('[data-none]');
  if (none) none.hidden = items.length > 0;
}

/** A line: what it is, what is known of it, and what takes it away. */
function row(name, about, verb, route) {
  const line = byId('row').content.cloneNode(true);
  line.querySelector('strong').textContent = name;
  line.querySelector('span').textContent = about;
  const button = line.querySelector('button');
  if (!route) button.remove();
  else {
    button.textContent = verb;
    button.setAttribute('aria-label', `${verb} ${name}`);
    Object.assign(button.dataset, { act: verb === 'Forget' ? 'forget' : 'remove', route, name });
  }
  return line;
}

const day = (time) => new Date(time).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });

function times({ createdAt, lastUsedAt, locked }) {
  const used = lastUsedAt ? `, last used ${day(lastUsedAt)}` : '';
  return `${locked ? 'Locked, added' : 'Added'} ${day(createdAt)}${used}`;
}

/** Does what may need a step-up: then it is done after that. */
async function confirmed(act) {
  try {
    await act();
  } catch (error) {
    if (error.code !== STEP_UP) throw error;
    await stepUp(act, devices);
  }
}

/** Asks whether it is meant. */
function sure(question, verb) {
  const dialog = byId('sure');
  byId('sure-title').textContent = question;
  byId('sure-yes').textContent = verb;
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}

/** What each button does. */
export const acts = {
  devices: () => devices(),
  arrive,
  'add-app': () => confirmed(async () => {
    const key = await session.ask('POST', `${MINE}authenticator/enroll`, {});
    byId('label').value = '';
    show('add-app');
    drawKey(view('add-app'), key, email);
  }),
  'prove-email': () => confirmed(async () => {
    const sent = await session.ask('POST', `${MINE}email/enroll`, {});
    otcToken = sent.otcToken;
    show('prove-mailbox');
    byId('new-mailbox').textContent = sent.email;
  }),
  async 'add-passkey'() {
    byId('passkey-label').value = '';
    show('add-passkey');
  },
  async 'add-phone'() {
    byId('add-number').value = byId('phone-label').value = '';
    show('add-phone');
  },
  async 'replace-recovery'() {
    if (!await sure('Replace your recovery code? The old one is worth nothing then.', 'Replace')) return;
    await confirmed(async () => {
      const issued = await session.ask('POST', `${MINE}recovery-codes/regenerate`, {});
      await keep(issued, () => devices('The old recovery code is worth nothing any more.'));
    });
  },
  async remove({ route, name }) {
    if (!await sure(`Remove ${name}?`, 'Remove')) return;
    await confirmed(async () => {
      await session.ask('POST', MINE + route, {});
      await devices(`${name} is removed. Your other sessions have ended.`);
    });
  },
  async forget({ route, name }) {
    await session.ask('DELETE', MINE + route);
    await devices(`${name} is forgotten: it is asked for a second factor at its next login.`);
  },
  async 'forget-all'() {
    if (!await sure('Forget every browser?', 'Forget')) return;
    await session.ask('DELETE', `${MINE}remembered-devices`);
    await devices('Every browser is forgotten.');
  },
};

/** What each view's form does. */
export const forms = {
  async 'add-app'(data) {
    const body = { token: code(data), label: data.get('label').trim() };
    await confirmed(async () => {
      const added = await session.ask('POST', `${MINE}authenticator/enroll/verify`, body);
      await keep(added, () => devices('The app is added.'));
    });
  },
  async 'add-passkey'(data) {
    const label = data.get('label').trim();
    await confirmed(async () => {
      const { webauthnToken, options } = await session.ask('POST', `${MINE}webauthn/enroll`, {});
      const made = await passkey.create(options);
      const added = await session.ask('POST', `${MINE}webauthn/enroll/verify`, { webauthnToken, label, ...made });
      await keep(added, () => devices('The passkey is added.'));
    });
  },
  async 'add-phone'(data) {
    const body = { phoneNumber: data.get('number').trim(), ...chosen(data) };
    phoneLabel = data.get('label').trim();
    await confirmed(async () => {
      const sent = await session.ask('POST', `${MINE}sms/enroll`, body);
      otcToken = sent.otcToken;
      show('prove-phone');
      byId('new-number').textContent = sent.phoneNumber;
    });
  },
  async 'prove-phone'(data) {
    const body = { otcToken, code: code(data), label: phoneLabel };
    await confirmed(async () => {
      const added = await session.ask('POST', `${MINE}sms/enroll/verify`, body);
      await keep(added, () => devices('The phone is added.'));
    });
  },
  async 'prove-mailbox'(data) {
    const body = { otcToken, code: code(data) };
    await confirmed(async () => {
      const added = await session.ask('POST', `${MINE}email/enroll/verify`, body);
      await keep(added, () => devices('Your address is proven.'));
    });
  },
  async devices() {
    if (!await sure('Sign out everywhere?', 'Sign out')) return;
    await session.ask('DELETE', 'users/sessions/v1/me/all');
    session.end();
    show('login', 'You are signed out everywhere.');
  },
  async done() {
    session.end();
    await post('auth/v1/logout', {});
    show('login', 'You are signed out.');
  },
};
