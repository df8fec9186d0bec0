// The person before the screen, who has a phone and a mailbox: the test that started this process. A question goes out
// as one line on standard output, its answer comes back as one line on standard input.

import { createInterface } from 'node:readline';

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function ask(...question) {
  console.log(question.join(' '));
  const { value, done } = await answers.next();
  if (done) throw new Error(`nobody answered: ${question[0]}`);
  return value;
}

/** Scans a QR code with the phone's app. */
export const scan = (qrCode) => ask('scan', qrCode);

/** The app's next code. */
export const appCode = () => ask('app');

/** A code that the app does not show. */
export const wrongCode = () => ask('wrong');

/** The code in the newest mail. */
export const mailedCode = () => ask('mail');

/** What an authenticator of this name makes for these options, as the login box passes it on. */
export const makePasskey = async (name, options) => JSON.parse(await ask('make', name, JSON.stringify(options)));

/** What it signs for these. */
export const usePasskey = async (name, options) => JSON.parse(await ask('sign', name, JSON.stringify(options)));

/** Tells the test how far it is. */
export const say = (text) => console.log(`# ${text}`);

/** Done: nothing more is asked. */
export function leave() {
  console.log('done');
  process.stdin.destroy();
}
