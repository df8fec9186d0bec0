// The views, of which one is shown. What is secret leaves the document with the view that showed it.

export const SERVICE = document.querySelector('header span').textContent;

export const view = (name) => document.querySelector(`[data-view="${name}"]`);
export const byId = (id) => document.getElementById(id);
export const say = (text) => { byId('status').textContent = text; };
export const groups = (text, between) => text.match(/.{1,4}/g).join(between);

/** Shows one view and nothing else, and moves the focus to where one goes on. */
export function show(name, note) {
  wipe();
  for (const section of document.querySelectorAll('[data-view]')) section.hidden = section.dataset.view !== name;
  const section = view(name);
  complain(section, null);
  for (const details of section.querySelectorAll('details')) details.open = false;
  const noted = section.querySelector('[data-note]');
  if (noted) { noted.hidden = !note; noted.textContent = note ?? ''; }
  const title = section.querySelector('h1');
  document.title = `${title.textContent} – ${SERVICE}`;
  const empty = [...section.querySelectorAll('input:not([type="checkbox"], [data-later])')].find((input) => !input.value);
  (empty ?? title).focus();
  window.scrollTo(0, 0);
  if (note) say(note);
}

function wipe() {
  for (const input of document.querySelectorAll('.code, .mono, [type="password"]')) input.value = '';
  for (const shown of document.querySelectorAll('[data-secret]')) {
    if (shown.localName === 'code') shown.textContent = '';
    shown.removeAttribute('src');
    shown.removeAttribute('href');
  }
  for (const box of document.querySelectorAll('[name="kept"]')) box.checked = false;
}

/** Tells what went wrong, beside where it did, or that nothing does. */
export function complain(section, text) {
  const alert = section.querySelector('.alert');
  alert.id ||= `alert-${section.dataset.view}`;
  alert.textContent = text ?? '';
  alert.hidden = !text;
  for (const input of section.querySelectorAll('input:not([type="checkbox"])')) {
    if (text) { input.setAttribute('aria-invalid', 'true'); input.setAttribute('aria-describedby', alert.id); }
    else { input.removeAttribute('aria-invalid'); input.removeAttribute('aria-describedby'); }
  }
  const noted = section.querySelector('[data-note]');
  if (text && noted) noted.hidden = true;
  if (text) alert.scrollIntoView({ block: 'nearest' });
}

/** The key for an authenticator app: as a picture, as a link for the phone that shows it, and to be typed. */
export function drawKey(section, { qrCode, secret }, email) {
  const [service, account] = [SERVICE, email].map(encodeURIComponent);
  section.querySelector('.qr img').src = qrCode;
  section.querySelector('code').textContent = groups(secret, ' ');
  section.querySelector('details a').href = `otpauth://totp/${service}:${account}?secret=${secret}&issuer=${service}`;
}

export async function copy(button) {
  const shown = byId(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(shown.textContent.replaceAll(' ', ''));
    say('Copied');
  } catch {
    getSelection().selectAllChildren(shown);
    say('Selected. Copy it with your keyboard');
  }
}
