// The whole job on one page, by the public routes alone: log in, enrol, recover, manage devices, sign out.
// Here a form or a button finds what it does.

import * as account from './account.js';
import { Refusal, post } from './call.js';
import * as login from './login.js';
import * as session from './session.js';
import { byId, complain, copy, show, view } from './view.js';

/** What a mailed link says, after the `#`: it is out of the address, and so out of the history, before anything else is done. */
const tries = new URLSearchParams(location.hash.slice(1)).get('tries');
if (tries) history.replaceState(null, '', location.pathname);
// The link, pasted into a tab where the page is open.
addEventListener('hashchange', () => location.reload());

const forms = {
  async login(data) {
    const answer = await post('auth/v1/user', { email: data.get('email').trim(), password: data.get('password') });
    await login.proceed(answer, account.arrive);
  },
  async tries() {
    await post('auth/v1/user/mfa/refill', { token: tries });
    show('login', 'Codes are accepted again. You can log in now.');
  },
  ...login.forms,
  ...account.forms,
};

/** Runs what a button asks for: once at a time, and with its refusal told where one looks. */
async function run(button, task) {
  if (button.getAttribute('aria-disabled') === 'true') return;
  const section = button.closest('[data-view]');
  // Not `disabled`: that would take the focus away.
  button.setAttribute('aria-disabled', 'true');
  complain(section, null);
  try {
    await task();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.status === 401 && (login.isOpen() || session.lives())) return ended();
    complain(section, error.message);
    const input = section.querySelector('input.code, input[type="password"]');
    if (input) { input.focus(); input.select(); }
  } finally {
    button.removeAttribute('aria-disabled');
  }
}

/** The login is over, or the session is: a step-up goes back, where it still can. */
async function ended() {
  try {
    if (login.isOpen()) return await login.leave('That took too long. Please try again.');
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
  session.end();
  show('login', 'Your session has ended. Please log in again.');
}

for (const [name, task] of Object.entries(forms)) {
  const form = view(name).querySelector('form');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    run(form.querySelector('[type="submit"]'), () => task(new FormData(form)));
  });
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('main button[type="button"]');
  if (!button) return;
  const { go, act, copy: copied } = button.dataset;
  if (act) return run(button, () => account.acts[act](button.dataset));
  if ('send' in button.dataset) return run(button, login.mail);
  if ('text' in button.dataset) return run(button, () => login.text(button.dataset.text));
  if ('leave' in button.dataset) return run(button, () => login.leave());
  if (copied) return copy(button);
  const email = byId('email').value;
  login.open(go);
  if (go === 'recover') byId('recover-email').value = email;
});

show(tries ? 'tries' : 'login');
