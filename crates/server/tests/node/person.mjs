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

/** Signs up: a user of this name, without a second factor. */
export const newUser = async (name) => JSON.parse(await ask('user', name));

/** A token of the service that manages. */
export const vendorToken = () => ask('vendor');

/** Scans a QR code with the app of this name. */
export const scan = (app, qrCode) => ask('scan', app, qrCode);

/** That app's next code. Two follow at once; a third waits for the clock. */
export const appCode = (app) => ask('app', app);

/** A code that it does not show. */
export const wrongCode = (app) => ask('wrong', app);

/** The code in the newest mail. */
export const mailedCode = () => ask('mail');

/** The code in the next message to a phone. */
export const textedCode = () => ask('text');

/** What an authenticator of this name makes for these options, as the login box passes it on. */
export const makePasskey = async (name, options) => JSON.parse(await ask('make', name, JSON.stringify(options)));

/** What it signs for these. */
export const usePasskey = async (name, options) => JSON.parse(await ask('sign', name, JSON.stringify(options)));

/** Tells the test how far it is. */
export const say = (text) => console.log(`# ${text}`);

/** Done: nothing more is asked. These functions were called. */
export function leave(called) {
  console.log(`called ${JSON.stringify(called)}`);
  process.stdin.destroy();
}
